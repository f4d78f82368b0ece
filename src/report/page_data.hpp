#pragma once

#include <string>
#include <vector>

#include "report/run_record.hpp"

namespace effuse {

/// The JSON that page/*.js draws from, on one line, safe inside of a <script> element: no character
/// of it can end that. Its keys are those of the structs; curves are columns, one element a
/// stretch of the log.
std::string page_data(const std::vector<RunRecord>& runs, double made_unix_s);

}  // namespace effuse
