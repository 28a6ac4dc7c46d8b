// `lotsen bench NAME`: one JSON line with a figure. Programs that measure, not tests: nothing here passes or fails by time.
#include <algorithm>
#include <chrono>
#include <iostream>

#include "gateway/app/arguments.h"
#include "gateway/app/bench.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/json/writer.h"
#include "gateway/validation/validation.h"

namespace lotsen::app {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Runs `once` exactly `iterations` times, or for about two seconds when that is 0; one warm-up round before.
template <typename Once>
Measured measure(std::size_t iterations, const Once& once) {
  Measured measured;
  if (!once()) return measured;
  const auto start = SteadyClock::now();
  const auto end = start + std::chrono::seconds(2);
  while (iterations != 0 ? measured.iterations < iterations : SteadyClock::now() < end) {
    if (!once()) return {};
    ++measured.iterations;
  }
  measured.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  return measured;
}

int print(std::string_view bench, const Measured& measured) {
  if (measured.iterations == 0) return kDataFailed;
  std::string text;
  json::Writer writer(text);
  char number[32];
  std::snprintf(number, sizeof number, "%.1f", static_cast<double>(measured.iterations) / measured.seconds);
  writer.startObject().member("bench", bench).key("per_second").number(number);
  writer.member("iterations", static_cast<std::int64_t>(measured.iterations));
  std::snprintf(number, sizeof number, "%.3f", measured.seconds);
  writer.key("seconds").number(number).endObject();
  std::cout << text << '\n';
  return kFine;
}

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
  return print("map", measure(iterations, once));
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
  return print("validate", measure(iterations, once));
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
  return print("fhirpath", measure(iterations, once));
}

}  // namespace

int benchVerb(const Words& words) {
  static const Usage kUsage{"bench", "NAME …",
                            "Measures and prints one JSON line. NAME: map (--map --package --source), validate (FILE), fhirpath (EXPR FILE),\n"
                            "letter (TEMPLATE DATA), accept, deliver and start (--config FILE; they use a data folder of their own).",
                            {{"--iterations", "N", "exactly N rounds; default: about two seconds"},
                             {"--map", "FILE", "map: as in transform", true},
                             {"--package", "DIR|FILE", "map, validate: as there", true},
                             {"--source", "FILE", "map: the source record"},
                             {"--config", "FILE", "accept, deliver, start: the configuration to run with"},
                             {"--clients", "N", "accept: connections at once; default 64"}},
                            1, 3};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const auto iterations = static_cast<std::size_t>(std::max(0L, std::atol(arguments->one("--iterations", "0").c_str())));
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
