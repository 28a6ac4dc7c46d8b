// A message against its MessageDefinition.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/message_kinds.h"
#include "gateway/validation/walk.h"

#include <algorithm>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::valueAt;

void Walk::message(const Element* header) {
  if (validator_.messages_ == nullptr) return;
  const MessageKinds& kinds = *validator_.messages_;
  const Element* event = child(document_, header, "event");
  const bool coded = event != nullptr && event->type == fhir::r4::kCoding;
  const std::string_view system = coded ? valueAt(document_, event, "system") : std::string_view();
  const std::string_view code = event == nullptr ? "" : coded ? valueAt(document_, event, "code") : event->value();
  const Element* definition = child(document_, header, "definition");
  const MessageKind* kind = definition == nullptr ? kinds.ofEvent(system, code) : kinds.find(definition->value());
  // An acknowledgement repeats the event of its request (R4, messaging): that definition is not about it.
  if (definition == nullptr && kind != nullptr && child(document_, header, "response") != nullptr &&
      !kinds.isResponse(kind->url))
    return;
  if (kind == nullptr) {
    if (definition == nullptr) return;
    return report_.add(options_.unknownProfiles, "not-found", "message-unknown",
                       "this MessageDefinition is not known here, so the message was not checked against it",
                       definition);
  }
  if (kind->event != code || kind->eventSystem != system) {
    report_.error("business-rule", "message-event", "the event must be " + kind->event + ", as the definition says",
                  event == nullptr ? header : event, kind->url);
  }
  focus(header, *kind);
  if (child(document_, header, "response") != nullptr && !kinds.isResponse(kind->url)) {
    report_.add(fhir::Severity::Warning, "business-rule", "message-response",
                "this message answers another, but no known message allows it as its response", header, kind->url);
  }
}

/// What the message is about: each of the kind's foci so often, and nothing else.
void Walk::focus(const Element* header, const MessageKind& kind) {
  if (kind.focus.empty()) return;
  std::vector<std::uint32_t> counts(kind.focus.size());
  bool refused = false;
  const Element* first = child(document_, header, "focus");
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    const std::string_view text = valueAt(document_, at, "reference");
    const fhir::TypeId type = targetOf(at, text);
    if (type == fhir::kNone) return;  // it may be any of them
    std::string why;
    const auto found = std::find_if(kind.focus.begin(), kind.focus.end(), [&](const MessageKind::Focus& focus) {
      return schema_.isA(type, focus.type) &&
             (focus.profile.empty() || isTarget(target(at, text), type, focus.profile, why));
    });
    if (found != kind.focus.end()) {
      ++counts[static_cast<std::size_t>(found - kind.focus.begin())];
    } else {
      refused = true;
      report_.error("business-rule", "message-focus",
                    why.empty() ? "a message of this kind may not be about a " + typeName(type)
                                : "what the message is about does not conform: " + why,
                    at, kind.url);
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const MessageKind::Focus& focus = kind.focus[i];
    if (counts[i] >= focus.min && counts[i] <= focus.max) continue;
    if (counts[i] < focus.min && refused) continue;  // it is the one that was refused
    report_.error("business-rule", "message-focus",
                  "must be about " + std::string(counts[i] < focus.min ? "at least " : "at most ") +
                      std::to_string(counts[i] < focus.min ? focus.min : focus.max) + " " + typeName(focus.type),
                  header, kind.url);
  }
}

}  // namespace lotsen::validation
