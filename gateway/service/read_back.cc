#include "gateway/service/read_back.h"

#include "gateway/fhir/outcome.h"

namespace lotsen::service {

namespace {

using fhir::Document;
using fhir::Element;

bool isMessage(std::string_view text, std::string_view messageId) {
  constexpr std::string_view kPrefix = "urn:uuid:";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  return text == messageId;
}

bool namesMessage(const Document& document, const Element* resource, std::string_view messageId) {
  if (isMessage(valueAt(document, resource, "id"), messageId)) return true;
  const Element* identifier = child(document, resource, "identifier");
  for (const Element* each = identifier; each != nullptr && each->name == identifier->name; each = each->next) {
    if (isMessage(valueAt(document, each, "value"), messageId)) return true;
  }
  if (resource->type != document.schema().findType("Bundle")) return false;
  const Element* header = fhir::firstResource(document, resource, "MessageHeader");
  return header != nullptr && isMessage(valueAt(document, header, "id"), messageId);
}

struct Matches {
  std::size_t all = 0;
  std::size_t ofMessage = 0;
};

Matches matchesIn(const Document& document, std::string_view messageId) {
  Matches matches;
  const Element* first = child(document, document.root(), "entry");
  for (const Element* entry = first; entry != nullptr && entry->name == first->name; entry = entry->next) {
    const std::string_view mode = valueAt(document, entry, "search.mode");
    if (!mode.empty() && mode != "match") continue;
    const Element* resource = child(document, entry, "resource");
    ++matches.all;
    if (resource != nullptr && namesMessage(document, resource, messageId)) ++matches.ofMessage;
  }
  return matches;
}

bool asksAgain(queue::Outcome outcome) {
  return outcome == queue::Outcome::Retry || outcome == queue::Outcome::Ambiguous ||
         outcome == queue::Outcome::PauseEndpoint;
}

}  // namespace

queue::Finding understandReadBack(const std::shared_ptr<const fhir::Schema>& schema, std::string_view messageId,
                                  bool acknowledges, const queue::Answer& answer) {
  using queue::Finding;
  if (answer.phase != queue::Phase::Answered || asksAgain(queue::classifyHttp(answer).outcome)) {
    return Finding::NoAnswer;
  }
  if (answer.status != 200) return Finding::Unclear;
  fhir::Issues issues;
  fhir::ReadOptions options;
  options.type = schema->findType("Bundle");
  const auto bundle = fhir::readJson(answer.body, schema, options, issues);
  if (!bundle.ok() || bundle->root() == nullptr || valueAt(*bundle, bundle->root(), "type") != "searchset") {
    return Finding::Unclear;
  }
  const Matches matches = matchesIn(*bundle, messageId);
  if (matches.all == 0) {
    const std::string_view total = valueAt(*bundle, bundle->root(), "total");
    return total.empty() || total == "0" ? Finding::Absent : Finding::Unclear;
  }
  if (matches.all > 1 || matches.ofMessage != 1) return Finding::Unclear;
  return acknowledges ? Finding::Arrived : Finding::Accepted;
}

}  // namespace lotsen::service
