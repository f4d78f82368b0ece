#include "app/evaluate_job.hpp"
#include "app/run_job.hpp"

int main(int argc, char** argv) { return effuse::run_job(effuse::evaluate_job(), argc, argv); }
