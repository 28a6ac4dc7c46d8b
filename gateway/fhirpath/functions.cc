#include "gateway/fhirpath/functions.h"

#include <algorithm>

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
  static const std::vector<const FunctionRow*> sorted = [] {
    std::vector<const FunctionRow*> rows;
    eachTable([&](std::span<const FunctionRow> table) {
      for (const FunctionRow& row : table) rows.push_back(&row);
    });
    std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    return rows;
  }();
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const FunctionRow* row, std::string_view wanted) { return row->name < wanted; });
  return found != sorted.end() && (*found)->name == name ? *found : nullptr;
}

std::vector<std::string_view> functionNames() {
  std::vector<std::string_view> names;
  eachTable([&](std::span<const FunctionRow> table) {
    for (const FunctionRow& row : table) names.push_back(row.name);
  });
  return names;
}

}  // namespace lotsen::fhirpath
