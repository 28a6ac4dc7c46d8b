// `lotsen bench NAME`: one JSON line with a figure. Programs that measure, not tests: nothing here passes or fails by
// time.
#include "gateway/app/arguments.h"
#include "gateway/app/bench.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/validation/validation.h"

#include <algorithm>
#include <iostream>

namespace lotsen::app {

namespace {

int benchMap(const Arguments& arguments, std::size_t iterations) {
  const auto schema = schemaWith(arguments.all("--package"));
  if (!schema) return kWrongUse;
  const auto library = mapsOf(arguments.all("--map"), schema);
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
  const auto schema = schemaWith(arguments.all("--package"));
  std::string bytes;
  if (!schema || arguments.positional().size() != 2 || !readInput(arguments.positional()[1], bytes)) return kWrongUse;
  const auto validator = validation::Validator::create(schema);
  if (!validator.ok()) return kWrongUse;
  const auto once = [&] {
    fhir::Issues issues;
    const auto document = fhir::readJson(bytes, schema, {}, issues);
    if (!document.ok()) return false;
    (*validator)->validate(*document, issues);
    return true;
  };
  return printMeasured("validate", measure(iterations, once));
}

int benchFhirpath(const Arguments& arguments, std::size_t iterations) {
  std::string bytes;
  if (arguments.positional().size() != 3 || !readInput(arguments.positional()[2], bytes)) return kWrongUse;
  const auto schema = fhir::Schema::r4();
  fhir::Issues issues;
  const auto document = fhir::readJson(bytes, schema, {}, issues);
  if (!document.ok()) return kWrongUse;
  const auto once = [&] {  // parse, compile and evaluate: no cache
    const auto program = fhirpath::Program::compile(arguments.positional()[1], schema, {});
    if (!program.ok()) return false;
    fhirpath::Environment environment;
    environment.document = &*document;
    fhirpath::Evaluator evaluator(environment);
    return evaluator.evaluate(*program, document->root()).ok();
  };
  return printMeasured("fhirpath", measure(iterations, once));
}

}  // namespace

int benchVerb(const Words& words) {
  static const Usage kUsage{
      "bench",
      "NAME …",
      "Measures and prints one JSON line. NAME: map (--map --package --source), validate (FILE), fhirpath (EXPR "
      "FILE),\n"
      "letter (TEMPLATE DATA), accept, deliver and start (a gateway of its own by --config FILE). cpu_us is the "
      "processor\n"
      "time a round, of the clients in accept too.",
      {{"--iterations", "N",
        "exactly N rounds; default: about two seconds, 20000 for accept, 2000 for deliver; not for start"},
       {"--map", "FILE", "map: as in transform", true},
       {"--package", "DIR|FILE", "map, validate: as there", true},
       {"--source", "FILE", "map, accept, deliver: the source record"},
       {"--config", "FILE", "accept, deliver, start: the configuration; its data folder must be new"},
       {"--token", "FILE", "accept: the token of the partner that sends"},
       {"--partner", "NAME", "deliver: the partner that sends"},
       {"--channel", "NAME", "accept, deliver: default pas/referral"},
       {"--clients", "N", "accept: connections at once; default 64"}},
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
