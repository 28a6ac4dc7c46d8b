#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/json/writer.h"

#include <fstream>
#include <iostream>

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
  static const Usage kUsage{"transform",
                            "SOURCE",
                            "Runs a mapping on a source record and prints the target resource.",
                            {{"--map", "FILE", "the map; further ones for its imports", true},
                             {"--package", "DIR|FILE", "definitions: logical models, profiles", true},
                             {"--source-format", "json|xml", "default: told from the file"},
                             {"--format", "json|xml", "of what is printed; default json"},
                             {"--loss", "FILE", "write which source leaves no rule has read"},
                             {"--now", "INSTANT", "what now() says; default 1970-01-01T00:00:00Z, so that runs agree"}},
                            1,
                            1};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  if (!arguments->has("--map")) {
    std::cerr << "lotsen transform: --map FILE is needed\n";
    return kWrongUse;
  }
  const std::string format = arguments->one("--format", "json");
  for (const auto& word : {format, arguments->one("--source-format", "json")}) {
    if (word == "json" || word == "xml") continue;
    std::cerr << "lotsen transform: no format " << word << "; take json or xml\n";
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
  const std::string sourceFormat = arguments->one("--source-format");
  const auto source = sourceFormat == "xml"    ? fhir::readXml(bytes, schema, readOptions, issues)
                      : sourceFormat == "json" ? fhir::readJson(bytes, schema, readOptions, issues)
                                               : readResource(bytes, schema, readOptions, issues);
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
  const auto written = writeResource(*target, format);
  if (!written.ok()) {
    std::cerr << "lotsen transform: " << written.error().message << '\n';
    return kDataFailed;
  }
  std::cout << *written << '\n';
  return kFine;
}

}  // namespace lotsen::app
