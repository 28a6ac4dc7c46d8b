#include "gateway/fhirpath/functions.h"

namespace lotsen::fhirpath {
namespace {

template <typename Visit>
void eachTable(Visit visit) {
  visit(collectionFunctions());
  visit(aggregateFunctions());
  visit(textFunctions());
  visit(numberFunctions());
  visit(conversionFunctions());
  visit(timeFunctions());
  visit(fhirFunctions());
}

}  // namespace

const FunctionRow* findFunction(std::string_view name) {
  const FunctionRow* found = nullptr;
  eachTable([&](std::span<const FunctionRow> table) {
    for (const FunctionRow& row : table) {
      if (row.name == name) found = &row;
    }
  });
  return found;
}

std::vector<std::string_view> functionNames() {
  std::vector<std::string_view> names;
  eachTable([&](std::span<const FunctionRow> table) {
    for (const FunctionRow& row : table) names.push_back(row.name);
  });
  return names;
}

}  // namespace lotsen::fhirpath
