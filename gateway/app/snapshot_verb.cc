#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/base/text.h"
#include "gateway/definitions/snapshot_form.h"

#include <iostream>

namespace lotsen::app {

int snapshotVerb(const Words& words) {
  static const Usage kUsage{
      "snapshot",
      "FILE",
      "Prints a StructureDefinition with the snapshot that its differential makes, in the file's format.",
      {{"--package", "DIR|FILE", "definitions beside R4: what it derives from or names", true}},
      1,
      1};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const auto definitions = definitionsWith(arguments->all("--package"));
  if (!definitions) return kWrongUse;
  const std::string& file = arguments->positional()[0];
  std::string bytes;
  if (!readInput(file, bytes)) return kWrongUse;
  fhir::Issues issues;
  const auto definition = readResource(bytes, fhir::Schema::r4(), {}, issues);
  if (!definition.ok()) {
    printIssues(file, issues);
    return kDataFailed;
  }
  const auto made = definitions::withSnapshot(*definitions, file, *definition, issues);
  printIssues(file, issues);
  if (!made.ok()) {
    std::cerr << "lotsen snapshot: " << made.error().message << '\n';
    return kDataFailed;
  }
  const auto written = writeResource(*made, trim(bytes).starts_with('{') ? "json" : "xml");
  if (!written.ok()) {
    std::cerr << "lotsen snapshot: " << written.error().message << '\n';
    return kDataFailed;
  }
  std::cout << *written << '\n';
  return kFine;
}

}  // namespace lotsen::app
