#include "app/preflight_job.hpp"
#include "app/run_job.hpp"

int main(int argc, char** argv) { return effuse::run_job(effuse::preflight_job(), argc, argv); }
