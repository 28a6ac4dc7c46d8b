#include "gateway/validation/forms.h"

#include <charconv>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::valueAt;

namespace {

template <typename Visit>
void eachOf(const fhir::Document& document, const Element* node, std::string_view name, const Visit& visit) {
  const Element* first = child(document, node, name);
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) visit(at);
}

}  // namespace

Form::Form(const fhir::Document& document, const Element* questionnaire) : document_(document) {
  addItems(questionnaire, nullptr);
}

const FormItem* Form::find(std::string_view linkId) const {
  const auto found = byLinkId_.find(linkId);
  return found == byLinkId_.end() ? nullptr : found->second;
}

void Form::addItems(const Element* parent, FormItem* above) {
  eachOf(document_, parent, "item", [&](const Element* element) {
    FormItem& item = all_.emplace_back();
    item.parent = above;
    item.number = static_cast<std::uint32_t>(all_.size());
    read(element, item);
    (above == nullptr ? top_ : above->children).push_back(&item);
    byLinkId_.emplace(item.linkId, &item);
    addItems(element, &item);
  });
}

void Form::read(const Element* element, FormItem& item) const {
  item.linkId = valueAt(document_, element, "linkId");
  item.type = valueAt(document_, element, "type");
  item.kind = item.type == "group"     ? FormItem::Kind::Group
              : item.type == "display" ? FormItem::Kind::Display
                                       : FormItem::Kind::Question;
  item.required = valueAt(document_, element, "required") == "true";
  item.repeats = valueAt(document_, element, "repeats") == "true";
  const std::string_view length = valueAt(document_, element, "maxLength");
  std::from_chars(length.data(), length.data() + length.size(), item.maxLength);
  item.valueSet = valueAt(document_, element, "answerValueSet");
  eachOf(document_, element, "answerOption", [&](const Element* option) {
    if (const Element* value = child(document_, option, "value"); value != nullptr) item.options.push_back(value);
  });
  item.anyCondition = valueAt(document_, element, "enableBehavior") == "any";
  eachOf(document_, element, "enableWhen", [&](const Element* when) {
    item.conditions.push_back(
        {valueAt(document_, when, "question"), valueAt(document_, when, "operator"), child(document_, when, "answer")});
  });
}

}  // namespace lotsen::validation
