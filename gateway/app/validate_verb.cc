#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"
#include "gateway/validation/validation.h"

#include <iostream>

namespace lotsen::app {

int validateVerb(const Words& words) {
  static const Usage kUsage{"validate",
                            "FILE…",
                            "Checks FHIR resources; prints one OperationOutcome (JSON) a file, one a line.",
                            {{"--package", "DIR|FILE", "definitions beside R4", true}},
                            1,
                            10'000};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const auto schema = schemaWith(arguments->all("--package"));
  if (!schema) return kWrongUse;
  const auto validator = validation::Validator::create(schema);
  if (!validator.ok()) {
    std::cerr << "lotsen validate: " << validator.error().message << '\n';
    return kWrongUse;
  }

  std::string out;
  for (const auto& file : arguments->positional()) {
    std::string bytes;
    if (!readInput(file, bytes)) return kWrongUse;
    fhir::Issues issues;
    const auto document = readResource(bytes, schema, {}, issues);
    if (document.ok()) (*validator)->validate(*document, issues);
    if (issues.hasErrors()) exit = kDataFailed;
    out += fhir::operationOutcome(issues) + '\n';
  }
  std::cout << out;
  return exit;
}

}  // namespace lotsen::app
