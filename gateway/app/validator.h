// The Validator of the verbs `validate` and `bench validate`.
#pragma once

#include "gateway/validation/message_kinds.h"
#include "gateway/validation/validation.h"

#include <memory>
#include <string>
#include <vector>

namespace lotsen::app {

/// R4, the packages and their MessageDefinitions; nullptr after telling the faults on stderr.
std::shared_ptr<const validation::Validator> validatorWith(const std::vector<std::string>& packages);

}  // namespace lotsen::app
