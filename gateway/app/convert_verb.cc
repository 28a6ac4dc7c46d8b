#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"

#include <iostream>

namespace lotsen::app {

int convertVerb(const Words& words) {
  static const Usage kUsage{"convert",
                            "FILE",
                            "Rewrites a FHIR resource without loss: order, decimals and extensions stay.",
                            {{"--to", "json|xml", "the format to write; it is told from the file which one is read"}},
                            1,
                            1};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const std::string format = arguments->one("--to");
  if (format != "json" && format != "xml") {
    std::cerr << "lotsen convert: --to json or --to xml is needed\n";
    return kWrongUse;
  }
  const std::string& file = arguments->positional()[0];
  std::string bytes;
  if (!readInput(file, bytes)) return kWrongUse;
  fhir::Issues issues;
  const auto document = readResource(bytes, fhir::Schema::r4(), {}, issues);
  printIssues(file, issues);
  if (!document.ok()) return kDataFailed;
  const auto written = writeResource(*document, format);
  if (!written.ok()) {
    std::cerr << "lotsen convert: " << written.error().message << '\n';
    return kDataFailed;
  }
  std::cout << *written << '\n';
  return kFine;
}

}  // namespace lotsen::app
