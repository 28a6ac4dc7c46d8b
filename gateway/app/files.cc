#include "gateway/app/files.h"

#include "gateway/base/text.h"
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/xml_form.h"

#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>

namespace lotsen::app {

bool readInput(const std::string& path, std::string& bytes) {
  if (path == "-") {
    bytes.assign(std::istreambuf_iterator<char>(std::cin), {});
    return true;
  }
  if (readFile(path, bytes)) return true;
  std::cerr << "lotsen: cannot read " << path << ": " << std::strerror(errno) << '\n';
  return false;
}

std::vector<std::string> defaultFontDirectories() {
  return {"/usr/share/fonts/truetype/noto", "/usr/share/fonts/truetype/liberation"};
}

std::pair<std::string_view, std::string_view> placeAndText(const fhir::Issue& issue) {
  const std::string_view text = issue.text;
  if (issue.source.empty() || !text.starts_with(issue.source + ":")) return {{}, text};
  const auto end = text.find(": ", issue.source.size());
  return {text.substr(0, end), text.substr(end + 2)};
}

void printIssues(const std::string& file, const fhir::Issues& issues) {
  for (const auto& issue : issues.list()) {
    const auto [place, text] = placeAndText(issue);
    if (!place.empty()) {
      std::cerr << place;
    } else {
      std::cerr << (issue.source.empty() || issue.at.line != 0 ? file : issue.source);
      if (issue.at.line != 0) std::cerr << ':' << issue.at.line << ':' << issue.at.column;
    }
    std::cerr << ": " << fhir::severityCode(issue.severity) << ": " << text;
    if (!issue.expression.empty()) std::cerr << " (" << issue.expression << ')';
    std::cerr << '\n';
  }
}

Result<fhir::Document> readResource(std::string_view bytes, const std::shared_ptr<const fhir::Schema>& schema,
                                    const fhir::ReadOptions& options, fhir::Issues& issues) {
  const auto start = trim(bytes);
  const bool xml = !start.empty() && (start.front() == '<' || start.substr(0, 3) == "\xEF\xBB\xBF");
  return xml ? fhir::readXml(bytes, schema, options, issues) : fhir::readJson(bytes, schema, options, issues);
}

Result<std::string> writeResource(const fhir::Document& document, std::string_view format) {
  if (format == "xml") return fhir::writeXml(document, fhir::Layout::Indented);
  return fhir::writeJson(document, fhir::Layout::Indented);
}

std::shared_ptr<const definitions::Definitions> definitionsWith(const std::vector<std::string>& packages) {
  if (packages.empty()) return definitions::Definitions::r4();
  fhir::Issues issues;
  auto loaded = definitions::load(packages, issues);
  printIssues("package", issues);
  if (!loaded.ok()) {
    std::cerr << "lotsen: " << loaded.error().message << '\n';
    return nullptr;
  }
  return std::move(*loaded);
}

std::shared_ptr<const fhir::Schema> schemaWith(const std::vector<std::string>& packages) {
  const auto definitions = definitionsWith(packages);
  return definitions == nullptr ? nullptr : definitions->schema;
}

std::optional<mapping::DropList> dropsOf(const std::string& entryMap, const mapping::Library& library) {
  const std::string file = mapping::dropFileOf(entryMap);
  if (!std::filesystem::exists(file)) return mapping::DropList();
  std::string text;
  if (!readInput(file, text)) return std::nullopt;
  fhir::Issues issues;
  auto drops = mapping::DropList::parse(file, text, *library.schema(), library.sourceType(), issues);
  printIssues(file, issues);
  if (!drops.ok()) return std::nullopt;
  return std::move(*drops);
}

std::optional<mapping::Library> mapsOf(const std::vector<std::string>& files,
                                       const std::shared_ptr<const definitions::Definitions>& definitions) {
  std::vector<mapping::MapText> texts;
  for (const auto& file : files) {
    texts.push_back({file, {}});
    if (!readInput(file, texts.back().text)) return std::nullopt;
  }
  fhir::Issues issues;
  auto library = mapping::Library::compile(texts, definitions, issues);
  printIssues(files.empty() ? "map" : files.front(), issues);
  if (!library.ok()) {
    std::cerr << "lotsen: " << library.error().message << '\n';
    return std::nullopt;
  }
  return std::move(*library);
}

}  // namespace lotsen::app
