// `lotsen bench NAME`: one JSON line with a figure. Programs that measure, not tests: nothing here passes or fails by
// time.
#include "gateway/app/arguments.h"
#include "gateway/app/bench.h"
#include "gateway/app/fhirpath_context.h"
#include "gateway/app/files.h"
#include "gateway/app/validator.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"

#include <algorithm>
#include <iostream>

namespace lotsen::app {

namespace {

int benchMap(const Arguments& arguments, std::size_t iterations) {
  const auto definitions = definitionsWith(arguments.all("--package"));
  if (!definitions) return kWrongUse;
  const auto& schema = definitions->schema;
  const auto library = mapsOf(arguments.all("--map"), definitions);
  std::string bytes;
  if (!library || !readInput(arguments.one("--source"), bytes)) return kWrongUse;
  const auto once = [&] {
    fhir::Issues issues;
    fhir::ReadOptions options;
    options.type = library->sourceType();
    const auto source = fhir::readJson(bytes, schema, options, issues);
    if (!source.ok()) return false;
    const auto target = mapping::transform(*library, *source, {}, issues);
    return target.ok() && !fhir::writeJson(*target).empty();
  };
  return printMeasured("map", measure(iterations, once));
}

int benchValidate(const Arguments& arguments, std::size_t iterations) {
  std::string bytes;
  if (arguments.positional().size() != 2 || !readInput(arguments.positional()[1], bytes)) return kWrongUse;
  const auto validator = validatorWith(arguments.all("--package"));
  if (validator == nullptr) return kWrongUse;
  validation::Options options = validation::Options::quiet();  // as the gateway validates
  options.profiles = arguments.all("--profile");
  const auto once = [&] {
    fhir::Issues issues;
    const auto document = fhir::readJson(bytes, validator->sharedSchema(), {}, issues);
    if (!document.ok()) return false;
    validator->validate(*document, issues, options);
    return true;
  };
  return printMeasured("validate", measure(iterations, once));
}

/// EXPR FILE, or every line of --batch: a round parses, compiles and evaluates each of them; the documents are read
/// before.
int benchFhirpath(const Arguments& arguments, std::size_t iterations) {
  std::vector<BatchLine> lines;
  if (arguments.has("--batch")) {
    auto read = readBatch(arguments.one("--batch"));
    if (!read) return kWrongUse;
    lines = std::move(*read);
  } else if (arguments.positional().size() == 3) {
    lines.push_back({"", arguments.positional()[1], arguments.positional()[2]});
  }
  if (lines.empty()) {
    std::cerr << "lotsen bench fhirpath: expected EXPR FILE or --batch FILE\n";
    return kWrongUse;
  }
  FhirpathContexts contexts;
  std::vector<const fhir::Document*> documents;
  for (const BatchLine& line : lines) {
    const auto& document = contexts.get(line.file);
    if (!document.ok()) {
      std::cerr << "lotsen bench fhirpath: " << document.error().message << '\n';
      return kWrongUse;
    }
    documents.push_back(document->get());
  }
  const Instant now = SystemClock().now();
  std::size_t failed = 0;
  std::size_t values = 0;
  const auto measured = measure(iterations, [&] {
    failed = values = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const Status status =
          evaluateText(lines[i].expression, *documents[i], now, [&](const auto& found) { values += found.size(); });
      if (!status.ok()) ++failed;
    }
    return failed < lines.size();
  });
  const auto rounds = static_cast<double>(std::max<std::size_t>(measured.iterations, 1));
  return printMeasured("fhirpath", measured,
                       {{"ms", measured.seconds * 1e3 / rounds},
                        {"evaluations", static_cast<double>(lines.size())},
                        {"errors", static_cast<double>(failed)},
                        {"values", static_cast<double>(values)}});
}

}  // namespace

int benchVerb(const Words& words) {
  static const Usage kUsage{
      "bench",
      "NAME …",
      "Measures and prints one JSON line. NAME: map (--map --package --source), validate (FILE), fhirpath (EXPR FILE\n"
      "or --batch FILE), letter (TEMPLATE DATA), accept, deliver and start (a gateway of its own by --config FILE).\n"
      "cpu_us is the processor time a round, of the clients in accept too.",
      {{"--iterations", "N",
        "exactly N rounds; default: about two seconds, 20000 for accept, 2000 for deliver; not for start"},
       {"--map", "FILE", "map: as in transform", true},
       {"--package", "DIR|FILE", "map, validate: as there", true},
       {"--profile", "URL", "validate: as there", true},
       {"--batch", "FILE", "fhirpath: as there; a round does every line, errors included"},
       {"--source", "FILE", "map, accept, deliver: the source record"},
       {"--config", "FILE", "accept, deliver, start: the configuration; its data folder must be new"},
       {"--token", "FILE", "accept: the token of the partner that sends"},
       {"--partner", "NAME", "deliver: the partner that sends"},
       {"--channel", "NAME", "accept, deliver: default pas/referral"},
       {"--clients", "N", "accept: connections at once; default 64. deliver: threads that submit; default 1"},
       {"--until", "STATE", "deliver: count deliveries in this state; default: transfers that are completed"}},
      1,
      3};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const auto iterations =
      static_cast<std::size_t>(std::max(0L, std::atol(arguments->one("--iterations", "0").c_str())));
  const std::string& name = arguments->positional()[0];
  if (name == "map") return benchMap(*arguments, iterations);
  if (name == "validate") return benchValidate(*arguments, iterations);
  if (name == "fhirpath") return benchFhirpath(*arguments, iterations);
  if (name == "letter") return benchLetter(*arguments, iterations);
  if (name == "accept") return benchAccept(*arguments, iterations);
  if (name == "deliver") return benchDeliver(*arguments, iterations);
  if (name == "start") return benchStart(*arguments, iterations);
  std::cerr << "lotsen bench: unknown bench " << name << "; see lotsen bench --help\n";
  return kWrongUse;
}

}  // namespace lotsen::app
