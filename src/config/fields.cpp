#include "config/fields.hpp"

#include "config/section.hpp"

namespace effuse {

std::vector<Field> fields_of(Config& config) {
  std::vector<Field> fields;
  add_experiment_fields(fields, config);
  add_operation_fields(fields, config);
  return fields;
}

}  // namespace effuse
