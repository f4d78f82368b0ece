#include "app/run_job.hpp"
#include "app/train_job.hpp"

int main(int argc, char** argv) { return effuse::run_job(effuse::train_job(), argc, argv); }
