#include <fstream>
#include <iostream>

#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"
#include "gateway/json/writer.h"

namespace lotsen::app {

namespace {

bool writeLoss(const std::string& file, const std::vector<mapping::LossEntry>& losses) {
  std::string text;
  json::Writer writer(text, 2);
  writer.startObject().key("unaccounted").startArray();
  for (const auto& loss : losses) {
    writer.startObject().member("path", loss.path).member("line", static_cast<std::int64_t>(loss.at.line));
    writer.member("column", static_cast<std::int64_t>(loss.at.column)).endObject();
  }
  writer.endArray().endObject();
  std::ofstream out(file, std::ios::binary);
  out << text << '\n';
  return out.good();
}

}  // namespace

int transformVerb(const Words& words) {
  static const Usage kUsage{"transform", "SOURCE", "Runs a mapping on a source record and prints the target resource.",
                            {{"--map", "FILE", "the map; further ones for its imports", true},
                             {"--package", "DIR|FILE", "definitions: logical models, profiles", true},
                             {"--loss", "FILE", "write which source leaves no rule has read"},
                             {"--now", "INSTANT", "what now() says; default 1970-01-01T00:00:00Z, so that runs agree"}},
                            1, 1};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  if (!arguments->has("--map")) {
    std::cerr << "lotsen transform: --map FILE is needed\n";
    return kWrongUse;
  }
  mapping::RunOptions options;
  if (arguments->has("--now")) {
    const auto now = parseInstant(arguments->one("--now"));
    if (!now.ok()) {
      std::cerr << "lotsen transform: --now: " << now.error().message << '\n';
      return kWrongUse;
    }
    options.now = *now;
  }
  const auto schema = schemaWith(arguments->all("--package"));
  if (!schema) return kWrongUse;
  const auto library = mapsOf(arguments->all("--map"), schema);
  if (!library) return kWrongUse;

  const std::string& file = arguments->positional()[0];
  std::string bytes;
  if (!readInput(file, bytes)) return kWrongUse;
  fhir::Issues issues;
  fhir::ReadOptions readOptions;
  readOptions.type = library->sourceType();
  const auto source = fhir::readJson(bytes, schema, readOptions, issues);
  if (!source.ok()) {
    printIssues(file, issues);
    return kDataFailed;
  }
  options.seed = fhir::canonicalDigest(*source);
  const auto target = mapping::transform(*library, *source, options, issues);
  printIssues(file, issues);
  if (!target.ok()) return kDataFailed;
  if (arguments->has("--loss") && !writeLoss(arguments->one("--loss"), mapping::unaccounted(*source))) {
    std::cerr << "lotsen transform: cannot write " << arguments->one("--loss") << '\n';
    return kWrongUse;
  }
  std::cout << fhir::writeJson(*target, fhir::Layout::Indented) << '\n';
  return kFine;
}

}  // namespace lotsen::app
