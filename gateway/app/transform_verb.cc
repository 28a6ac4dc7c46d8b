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

void writePlace(json::Writer& writer, fhir::Position at) {
  writer.member("line", static_cast<std::int64_t>(at.line)).member("column", static_cast<std::int64_t>(at.column));
}

void writeLeaf(json::Writer& writer, const mapping::LossEntry& leaf) {
  writer.startObject().member("path", leaf.path);
  writePlace(writer, leaf.at);
}

std::string lossJson(const mapping::LossAccount& account, const mapping::DropList& drops, const mapping::Trace& trace) {
  std::string text;
  json::Writer writer(text, 2);
  const auto count = [&](std::string_view name, std::size_t number) {
    writer.member(name, static_cast<std::int64_t>(number));
  };
  writer.startObject().key("summary").startObject();
  count("leaves", account.mapped.size() + account.dropped.size() + account.unaccounted.size());
  count("mapped", account.mapped.size());
  count("dropped", account.dropped.size());
  count("unaccounted", account.unaccounted.size());
  writer.endObject().key("unaccounted").startArray();
  for (const auto& leaf : account.unaccounted) {
    writeLeaf(writer, leaf);
    writer.endObject();
  }
  writer.endArray().key("dropped").startArray();
  for (const auto& leaf : account.dropped) {
    const auto& drop = drops.entries()[leaf.drop];
    writeLeaf(writer, leaf);
    writer.member("reason", drop.reason).key("by").startObject().member("file", drops.file());
    writePlace(writer, {drop.line, 1});
    writer.endObject().endObject();
  }
  writer.endArray().key("mapped").startArray();
  for (const auto& leaf : account.mapped) {
    writeLeaf(writer, leaf);
    writer.key("by").startArray();
    for (const std::size_t index : leaf.rules) {
      const auto& rule = trace.rules[index];
      writer.startObject().member("file", rule.file).member("group", rule.group).member("rule", rule.name);
      writePlace(writer, rule.at);
      writer.endObject();
    }
    writer.endArray().endObject();
  }
  writer.endArray().endObject();
  return text + '\n';
}

bool writeFile(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  return out.flush().good();
}

}  // namespace

int transformVerb(const Words& words) {
  static const Usage kUsage{
      "transform",
      "SOURCE",
      "Runs a mapping on a source record and prints the target resource.",
      {{"--map", "FILE", "the map; further ones for its imports", true},
       {"--package", "DIR|FILE", "definitions: logical models, profiles", true},
       {"--source-format", "json|xml", "default: told from the file"},
       {"--format", "json|xml", "of what is printed; default json"},
       {"--loss", "FILE", "write what became of each source leaf; heeds the .drop file beside the map"},
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
  const auto definitions = definitionsWith(arguments->all("--package"));
  if (!definitions) return kWrongUse;
  const auto& schema = definitions->schema;
  const auto library = mapsOf(arguments->all("--map"), definitions);
  if (!library) return kWrongUse;
  const auto drops = dropsOf(arguments->all("--map").front(), *library);
  if (!drops) return kWrongUse;

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
  mapping::Trace trace;
  if (arguments->has("--loss")) options.trace = &trace;
  const auto target = mapping::transform(*library, *source, options, issues);
  printIssues(file, issues);
  if (!target.ok()) return kDataFailed;
  if (arguments->has("--loss")) {
    const auto account = mapping::lossAccount(*source, *drops, trace);
    if (!writeFile(arguments->one("--loss"), lossJson(account, *drops, trace))) {
      std::cerr << "lotsen transform: cannot write " << arguments->one("--loss") << '\n';
      return kWrongUse;
    }
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
