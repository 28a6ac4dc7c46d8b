#include "gateway/fhir/outcome.h"

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/fhir/json_writer.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/json/writer.h"

namespace lotsen::fhir {

namespace {

// How `diagnostics` tells the rule and the source of an issue: "rule btf-too-short; source btf.period".
constexpr std::string_view kRule = "rule ", kSource = "source ";

void writeIssue(json::Writer& writer, const Issue& issue, const ErrorCode& errors) {
  writer.startObject()
      .member("severity", severityCode(issue.severity))
      .member("code", issue.code.empty() ? "processing" : issue.code);
  writer.key("details").startObject();
  if (!errors.code.empty() && (issue.severity == Severity::Error || issue.severity == Severity::Fatal)) {
    writer.key("coding").startArray().startObject();
    writer.member("system", errors.system).member("code", errors.code).endObject().endArray();
  }
  writer.member("text", issue.text).endObject();
  std::string diagnostics = issue.rule.empty() ? std::string() : std::string(kRule) + issue.rule;
  if (!issue.source.empty()) diagnostics += (diagnostics.empty() ? "" : "; ") + std::string(kSource) + issue.source;
  if (!diagnostics.empty()) writer.member("diagnostics", diagnostics);
  if (issue.at.line > 0) {
    const std::string place = "line " + std::to_string(issue.at.line) + ", column " + std::to_string(issue.at.column);
    writer.key("location").startArray().string(place).endArray();
  }
  if (!issue.expression.empty()) writer.key("expression").startArray().string(issue.expression).endArray();
  writer.endObject();
}

const Element* enclosing(const Element* node, TypeId type) {
  while (node != nullptr && !(node->isResource && node->type == type)) node = node->parent;
  return node;
}

const Element* enclosingResource(const Element* node) {
  while (node != nullptr && !node->isResource) node = node->parent;
  return node;
}

bool endsWithSegment(std::string_view url, std::string_view relative) {
  return url.size() > relative.size() && url.ends_with(relative) && url[url.size() - relative.size() - 1] == '/';
}

const Element* resolveContained(const Document& document, const Element* holder, std::string_view id) {
  const NameId contained = document.schema().findName("contained");
  const Element* container = enclosingResource(holder);
  if (container != nullptr && container->name == contained && container->parent != nullptr)
    container = container->parent;
  if (container == nullptr || id.empty()) return container;
  for (const Element* node = child(container, contained); node != nullptr && node->name == contained;
       node = node->next) {
    if (valueAt(document, node, "id") == id) return node;
  }
  return nullptr;
}

/// "Patient/1" for a resource without fullUrl, as servers of searchsets leave it out.
bool isNamed(const Document& document, const Element* resource, std::string_view relative) {
  const auto slash = relative.find('/');
  if (slash == std::string_view::npos) return false;
  const Schema& schema = document.schema();
  return schema.nameText(schema.type(resource->type).name) == relative.substr(0, slash) &&
         valueAt(document, resource, "id") == relative.substr(slash + 1);
}

/// The base of the holder's fullUrl with the reference behind it; empty if there is no such base.
std::string absolute(const Document& document, const Element* holder, const Element* bundle,
                     std::string_view relative) {
  while (holder != nullptr && (holder->parent == nullptr || holder->parent->parent != bundle)) holder = holder->parent;
  if (holder == nullptr) return {};
  const std::string_view fullUrl = valueAt(document, holder->parent, "fullUrl");
  const auto id = fullUrl.rfind('/');
  const auto type = id == std::string_view::npos || id == 0 ? id : fullUrl.rfind('/', id - 1);
  return type == std::string_view::npos || id == type
             ? std::string()
             : std::string(fullUrl.substr(0, type + 1)) + std::string(relative);
}

}  // namespace

std::string operationOutcome(const Issues& issues, const ErrorCode& errors) {
  std::string out;
  json::Writer writer(out);
  writer.startObject().member("resourceType", "OperationOutcome").key("issue").startArray();
  for (const Issue& issue : issues.list()) writeIssue(writer, issue, errors);
  if (issues.empty()) writeIssue(writer, {Severity::Information, "informational", {}, "All is well", {}, {}, {}}, {});
  writer.endArray().endObject();
  return out;
}

Result<Issues> readOutcome(std::string_view json) {
  Issues faults;
  LOTSEN_TRY(const Document document, readJson(json, Schema::r4(), {}, faults));
  const Element* root = document.root();
  if (root->type != r4::kOperationOutcome) return fail(Code::Invalid, "this is not an OperationOutcome");
  Issues issues;
  const NameId name = document.schema().findName("issue");
  for (const Element* node = child(root, name); node != nullptr && node->name == name; node = node->next) {
    Issue issue;
    const std::string_view severity = valueAt(document, node, "severity");
    for (const auto known : {Severity::Fatal, Severity::Error, Severity::Warning, Severity::Information}) {
      if (severityCode(known) == severity) issue.severity = known;
    }
    issue.code = valueAt(document, node, "code");
    issue.text = valueAt(document, node, "details.text");
    issue.expression = valueAt(document, node, "expression");
    for (const std::string_view part : split(valueAt(document, node, "diagnostics"), ';')) {
      const std::string_view words = trim(part);
      if (words.starts_with(kRule)) issue.rule = words.substr(kRule.size());
      if (words.starts_with(kSource)) issue.source = words.substr(kSource.size());
    }
    issues.add(std::move(issue));
  }
  return issues;
}

const Element* resolve(const Document& document, const Element* holder, std::string_view reference) {
  if (reference.empty()) return nullptr;
  if (reference.front() == '#') return resolveContained(document, holder, reference.substr(1));
  const Element* bundle = enclosing(holder, r4::kBundle);
  if (bundle == nullptr) return nullptr;
  reference = reference.substr(0, reference.find("/_history/"));
  const bool relative = reference.find(':') == std::string_view::npos;
  const std::string wanted = relative ? absolute(document, holder, bundle, reference) : std::string(reference);
  const NameId entryName = document.schema().findName("entry");
  const NameId urlName = document.schema().findName("fullUrl");
  const NameId resourceName = document.schema().findName("resource");
  const Element* byEnd = nullptr;
  for (const Element* entry = child(bundle, entryName); entry != nullptr && entry->name == entryName;
       entry = entry->next) {
    const Element* resource = child(entry, resourceName);
    if (resource == nullptr) continue;
    const Element* url = child(entry, urlName);
    if (url != nullptr && !wanted.empty() && url->value() == wanted) return resource;
    if (!relative || byEnd != nullptr) continue;
    if (url != nullptr ? endsWithSegment(url->value(), reference) : isNamed(document, resource, reference))
      byEnd = resource;
  }
  return byEnd;
}

const Element* firstResource(const Document& document, const Element* bundle, std::string_view type) {
  const TypeId wanted = document.schema().findType(type);
  const NameId entryName = document.schema().findName("entry");
  for (const Element* entry = child(bundle, entryName); entry != nullptr && entry->name == entryName;
       entry = entry->next) {
    const Element* resource = child(document, entry, "resource");
    if (resource != nullptr && resource->type == wanted) return resource;
  }
  return nullptr;
}

std::string canonicalDigest(const Document& document) {
  return crypto::sha256Hex(writeJson(document, document.root(), Layout::Compact, Order::Sorted));
}

}  // namespace lotsen::fhir
