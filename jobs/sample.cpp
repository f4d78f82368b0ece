#include "app/run_job.hpp"
#include "app/sample_job.hpp"

int main(int argc, char** argv) { return effuse::run_job(effuse::sample_job(), argc, argv); }
