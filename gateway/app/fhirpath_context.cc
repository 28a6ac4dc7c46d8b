#include "gateway/app/fhirpath_context.h"

#include "gateway/app/files.h"
#include "gateway/base/text.h"

#include <iostream>

namespace lotsen::app {

namespace {

Result<std::shared_ptr<const fhir::Document>> readContext(const std::string& file) {
  const auto schema = fhir::Schema::r4();
  if (file == "-") return std::make_shared<const fhir::Document>(schema);
  std::string bytes;
  if (!readFile(file, bytes)) return fail(Code::Unavailable, "cannot read " + file);
  fhir::Issues issues;
  auto document = readResource(bytes, schema, {}, issues);
  if (!document.ok())
    return fail(Code::Invalid, issues.empty() ? document.error().message : issues.list().front().text);
  return std::make_shared<const fhir::Document>(std::move(*document));
}

}  // namespace

std::optional<std::vector<BatchLine>> readBatch(const std::string& file) {
  std::string bytes;
  if (!readInput(file, bytes)) return std::nullopt;
  std::vector<BatchLine> lines;
  int number = 0;
  for (const auto text : split(bytes, '\n')) {
    ++number;
    if (trim(text).empty()) continue;
    fhir::Issues issues;
    const auto entry = fhir::readJson(text, fhir::Schema::r4(), {}, issues);
    if (!entry.ok()) {
      std::cerr << "lotsen fhirpath: " << file << ':' << number << ": not a JSON object with id, expression, file\n";
      return std::nullopt;
    }
    const auto member = [&](std::string_view name) { return std::string(fhir::valueAt(*entry, entry->root(), name)); };
    BatchLine line{member("id"), member("expression"), member("file")};
    if (line.file.empty()) line.file += '-';
    lines.push_back(std::move(line));
  }
  return lines;
}

const Result<std::shared_ptr<const fhir::Document>>& FhirpathContexts::get(const std::string& file) {
  const auto known = documents_.find(file);
  return known != documents_.end() ? known->second : documents_.emplace(file, readContext(file)).first->second;
}

Status evaluateText(const std::string& expression, const fhir::Document& document, Instant now,
                    const std::function<void(const fhirpath::Collection&)>& use) {
  const fhir::Element* root = document.root();
  fhirpath::CompileOptions options;
  options.strict = true;
  if (root != nullptr) options.context = root->type;
  LOTSEN_TRY(const auto program, fhirpath::Program::compile(expression, document.sharedSchema(), options));
  fhirpath::Environment environment;
  environment.document = &document;
  environment.resource = root;
  environment.rootResource = root;
  environment.now = now;
  fhirpath::Evaluator evaluator(std::move(environment));
  LOTSEN_TRY(const auto values, evaluator.evaluate(program, root));
  use(values);
  return done();
}

}  // namespace lotsen::app
