#include <iostream>

#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"

namespace lotsen::app {

int convertVerb(const Words& words) {
  static const Usage kUsage{"convert", "FILE", "Rewrites a FHIR resource without loss: order, decimals and extensions stay.",
                            {{"--to", "json", "the format to write"}}, 1, 1};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  if (arguments->one("--to", "json") != "json") {
    std::cerr << "lotsen convert: --to takes json\n";
    return kWrongUse;
  }
  const std::string& file = arguments->positional()[0];
  std::string bytes;
  if (!readInput(file, bytes)) return kWrongUse;
  fhir::Issues issues;
  const auto document = fhir::readJson(bytes, fhir::Schema::r4(), {}, issues);
  printIssues(file, issues);
  if (!document.ok()) return kDataFailed;
  std::cout << fhir::writeJson(*document, fhir::Layout::Indented) << '\n';
  return kFine;
}

}  // namespace lotsen::app
