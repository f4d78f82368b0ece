#include "app/convert_job.hpp"
#include "app/run_job.hpp"

int main(int argc, char** argv) { return effuse::run_job(effuse::convert_job(), argc, argv); }
