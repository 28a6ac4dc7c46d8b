#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/validator.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"

#include <iostream>

namespace lotsen::app {

std::shared_ptr<const validation::Validator> validatorWith(const std::vector<std::string>& packages) {
  const auto definitions = definitionsWith(packages);
  if (definitions == nullptr) return nullptr;
  fhir::Issues issues;
  auto messages = validation::MessageKinds::load(packages, definitions->schema, issues);
  printIssues("package", issues);
  if (!messages.ok() || issues.hasErrors()) return nullptr;
  auto validator = validation::Validator::create(definitions, std::move(*messages));
  if (!validator.ok()) {
    std::cerr << "lotsen: " << validator.error().message << '\n';
    return nullptr;
  }
  return std::move(*validator);
}

namespace {

bool policyOf(const std::string& word, validation::Policy& policy) {
  using validation::Policy;
  for (const auto& [name, value] : {std::pair("error", Policy::Error), std::pair("warning", Policy::Warning),
                                    std::pair("ignore", Policy::Ignore)}) {
    if (word != name) continue;
    policy = value;
    return true;
  }
  std::cerr << "lotsen validate: --unknown takes error, warning or ignore\n";
  return false;
}

}  // namespace

int validateVerb(const Words& words) {
  static const Usage kUsage{
      "validate",
      "FILE…",
      "Checks FHIR resources; prints one OperationOutcome (JSON) a file, one a line.",
      {{"--profile", "URL", "a profile that each file must conform to, beside those in its meta.profile", true},
       {"--package", "DIR|FILE", "definitions beside R4: a package (.tgz), a folder, a file", true},
       {"--unknown", "POLICY", "extensions and profiles that are not known: error, warning (default) or ignore"}},
      1,
      10'000};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  validation::Options options;
  options.profiles = arguments->all("--profile");
  if (!policyOf(arguments->one("--unknown", "warning"), options.unknownExtensions)) return kWrongUse;
  options.unknownProfiles = options.unknownExtensions;
  const auto validator = validatorWith(arguments->all("--package"));
  if (validator == nullptr) return kWrongUse;

  std::string out;
  for (const auto& file : arguments->positional()) {
    std::string bytes;
    if (!readInput(file, bytes)) return kWrongUse;
    fhir::Issues issues;
    const auto document = readResource(bytes, validator->sharedSchema(), {}, issues);
    if (document.ok()) validator->validate(*document, issues, options);
    if (issues.hasErrors()) exit = kDataFailed;
    out += fhir::operationOutcome(issues) + '\n';
  }
  std::cout << out;
  return exit;
}

}  // namespace lotsen::app
