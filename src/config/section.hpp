#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/fields.hpp"

namespace effuse {

/// Collects the fields of one section and lets constraints be chained to each.
class Section {
 public:
  Section(std::vector<Field>& fields, std::string name) : fields_(fields), name_(std::move(name)) {}

  template <class Value>
  Section& key(std::string key, Value& value, std::string doc) {
    Field& field = fields_.emplace_back();
    field.section = name_;
    field.key = std::move(key);
    field.value = &value;
    field.doc = std::move(doc);
    return *this;
  }
  Section& experiment() {
    fields_.back().role = Role::experiment;
    return *this;
  }
  Section& at_least(double minimum) {
    fields_.back().minimum = minimum;
    return *this;
  }
  Section& within(double minimum, double maximum) {
    fields_.back().maximum = maximum;
    return at_least(minimum);
  }
  Section& one_of(std::vector<std::string> choices) {
    fields_.back().choices = std::move(choices);
    return *this;
  }
  Section& only_for(std::vector<std::string> names) {
    fields_.back().only_for = std::move(names);
    return *this;
  }
  Section& may_be_empty() {
    fields_.back().may_be_empty = true;
    return *this;
  }

 private:
  std::vector<Field>& fields_;
  std::string name_;
};

/// Keys of the sections that define an experiment: run, data, model, diffusion, optimizer, ema,
/// precision.
void add_experiment_fields(std::vector<Field>& fields, Config& config);

/// Keys of all other sections.
void add_operation_fields(std::vector<Field>& fields, Config& config);

}  // namespace effuse
