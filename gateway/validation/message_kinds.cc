#include "gateway/validation/message_kinds.h"

#include "gateway/definitions/package.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/xml_form.h"

#include <algorithm>
#include <charconv>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::valueAt;

namespace {

std::string_view unversioned(std::string_view canonical) {
  return canonical.substr(0, canonical.find('|'));
}

std::uint32_t numberOf(std::string_view text, std::uint32_t otherwise) {
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

template <typename Visit>
void eachOf(const fhir::Document& document, const Element* node, std::string_view name, const Visit& visit) {
  const Element* first = child(document, node, name);
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) visit(at);
}

}  // namespace

void MessageKinds::take(const fhir::Document& document) {
  const auto text = [&](const Element* at, std::string_view path) { return std::string(valueAt(document, at, path)); };
  const Element* root = document.root();
  MessageKind kind;
  kind.url = text(root, "url");
  const Element* event = child(document, root, "event");
  if (event != nullptr && event->type == fhir::r4::kCoding) {
    kind.eventSystem = text(event, "system");
    kind.event = text(event, "code");
  } else if (event != nullptr) {
    kind.event = std::string(event->value());
  }
  eachOf(document, root, "focus", [&](const Element* focus) {
    const std::string max = text(focus, "max");
    kind.focus.push_back({document.schema().findType(valueAt(document, focus, "code")), text(focus, "profile"),
                          numberOf(valueAt(document, focus, "min"), 0), numberOf(max, fhir::kUnbounded)});
  });
  eachOf(document, root, "allowedResponse",
         [&](const Element* response) { kind.responses.push_back(text(response, "message")); });
  kinds_.push_back(std::move(kind));
}

Result<std::shared_ptr<const MessageKinds>> MessageKinds::load(const std::vector<std::string>& paths,
                                                               const std::shared_ptr<const fhir::Schema>& schema,
                                                               fhir::Issues& issues) {
  auto kinds = std::make_shared<MessageKinds>();
  for (const std::string& path : paths) {
    LOTSEN_TRY_DO(definitions::forEachFile(path, [&](const std::string& name, const std::string& bytes) {
      if (definitions::peekType(name, bytes) != "MessageDefinition") return;
      fhir::Issues found;
      const auto document =
          name.ends_with(".xml") ? fhir::readXml(bytes, schema, {}, found) : fhir::readJson(bytes, schema, {}, found);
      for (fhir::Issue issue : found.list()) {
        issue.source = name;
        issues.add(std::move(issue));
      }
      if (document.ok()) kinds->take(*document);
    }));
  }
  return std::shared_ptr<const MessageKinds>(std::move(kinds));
}

const MessageKind* MessageKinds::find(std::string_view canonical) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [&](const MessageKind& kind) { return kind.url == unversioned(canonical); });
  return found == kinds_.end() ? nullptr : &*found;
}

const MessageKind* MessageKinds::ofEvent(std::string_view system, std::string_view code) const {
  const MessageKind* found = nullptr;
  for (const MessageKind& kind : kinds_) {
    if (kind.event != code || kind.eventSystem != system) continue;
    if (found != nullptr) return nullptr;
    found = &kind;
  }
  return found;
}

bool MessageKinds::isResponse(std::string_view url) const {
  return std::any_of(kinds_.begin(), kinds_.end(), [&](const MessageKind& kind) {
    return std::any_of(kind.responses.begin(), kind.responses.end(),
                       [&](const std::string& response) { return unversioned(response) == url; });
  });
}

}  // namespace lotsen::validation
