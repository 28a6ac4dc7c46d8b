#include "gateway/validation/responses.h"

#include "gateway/fhir/r4/types.h"
#include "gateway/validation/values.h"

#include <algorithm>
#include <array>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::valueAt;

namespace {

std::string quoted(std::string_view linkId) {
  return "\"" + std::string(linkId) + "\"";
}

/// What answers an item of this type; kNone: choices, which have more than one.
fhir::TypeId answerType(std::string_view type) {
  struct Row {
    std::string_view item;
    fhir::TypeId answer;
  };
  static constexpr std::array<Row, 13> kRows = {{{"boolean", fhir::r4::kBoolean},
                                                 {"decimal", fhir::r4::kDecimal},
                                                 {"integer", fhir::r4::kInteger},
                                                 {"date", fhir::r4::kDate},
                                                 {"dateTime", fhir::r4::kDateTime},
                                                 {"time", fhir::r4::kTime},
                                                 {"string", fhir::r4::kString},
                                                 {"text", fhir::r4::kString},
                                                 {"url", fhir::r4::kUri},
                                                 {"attachment", fhir::r4::kAttachment},
                                                 {"reference", fhir::r4::kReference},
                                                 {"quantity", fhir::r4::kQuantity},
                                                 {"choice", fhir::r4::kCoding}}};
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& one) { return one.item == type; });
  return row == kRows.end() ? fhir::kNone : row->answer;
}

}  // namespace

ResponseCheck::ResponseCheck(const fhir::Document& document, const Form& form, Report& report, const Options& options)
    : document_(document),
      schema_(document.schema()),
      form_(form),
      report_(report),
      options_(options),
      item_(schema_.findName("item")),
      answer_(schema_.findName("answer")),
      value_(schema_.findName("value")) {}

void ResponseCheck::run(const Element* response) {
  const std::string_view status = valueAt(document_, response, "status");
  complete_ = status == "completed" || status == "amended";
  std::uint32_t next = 0;
  number(response, next);
  items(response, form_.items(), nullptr);
}

/// Items and answers below, in document order.
void ResponseCheck::number(const Element* holder, std::uint32_t& next) {
  Range& range = ranges_[holder];
  range.begin = next++;
  for (const Element* at = holder->first; at != nullptr; at = at->next) {
    if (at->name != item_ && at->name != answer_) continue;
    if (at->name == item_) byLinkId_[valueAt(document_, at, "linkId")].push_back(at);
    number(at, next);
  }
  ranges_[holder].end = next;
}

/// The items that `holder` has (the response, a group, an answer), beside those that the Questionnaire has there.
void ResponseCheck::items(const Element* holder, const std::vector<const FormItem*>& wanted, const FormItem* above) {
  std::unordered_map<const FormItem*, std::vector<const Element*>> found;
  std::uint32_t last = 0;
  const Element* start = child(holder, item_);
  for (const Element* at = start; at != nullptr && at->name == item_; at = at->next) {
    const FormItem* known = form_.find(valueAt(document_, at, "linkId"));
    if (!belongs(at, known, above)) continue;
    if (known->number < last) {
      report_.error("structure", "questionnaire-order",
                    "the item " + quoted(known->linkId) +
                        " stands before what stands before it here; keep the order of "
                        "the Questionnaire",
                    at);
    }
    last = std::max(last, known->number);
    found[known].push_back(at);
  }
  for (const FormItem* form : wanted) {
    const auto& all = found[form];
    if (!form->conditions.empty() && !isEnabled(*form, holder)) {
      for (const Element* at : all) {
        if (child(at, answer_) == nullptr && child(at, item_) == nullptr) continue;
        report_.error("business-rule", "questionnaire-enabled",
                      "the item " + quoted(form->linkId) +
                          " is answered, although the answers that it depends on (enableWhen) hide it",
                      at);
      }
      continue;
    }
    if (all.empty() && form->required && complete_ && form->kind != FormItem::Kind::Display) {
      report_.error("required", "questionnaire-required",
                    "the item " + quoted(form->linkId) + " is missing; a completed response must have it", holder);
    }
    const bool manyItems = form->kind == FormItem::Kind::Group && form->repeats;
    if (all.size() > 1 && !manyItems) {
      report_.error("structure", "questionnaire-repeats",
                    "the item " + quoted(form->linkId) + " may be there once" +
                        (form->repeats ? "; put its answers into one item" : ""),
                    all[1]);
    }
    for (const Element* at : all) item(at, *form);
  }
}

bool ResponseCheck::belongs(const Element* item, const FormItem* known, const FormItem* above) {
  if (known != nullptr && known->parent == above) return true;
  report_.error("structure", "questionnaire-link",
                known == nullptr ? "the Questionnaire has no item with this linkId"
                : known->parent == nullptr
                    ? "the Questionnaire has this item at its top, not inside of another"
                    : "the Questionnaire has this item inside of " + quoted(known->parent->linkId) + ", not here",
                item);
  return false;
}

void ResponseCheck::item(const Element* item, const FormItem& form) {
  if (form.kind == FormItem::Kind::Question) return answers(item, form);
  if (const Element* answered = child(item, answer_); answered != nullptr) {
    report_.error("structure", "questionnaire-type",
                  "an item of the type " + std::string(form.type) + " has no answers", answered);
  }
  if (form.kind == FormItem::Kind::Group) items(item, form.children, &form);
}

void ResponseCheck::answers(const Element* item, const FormItem& form) {
  if (const Element* inner = child(item, item_); inner != nullptr) {
    report_.error("structure", "questionnaire-link",
                  "items inside of the question " + quoted(form.linkId) + " stand below its answer", inner);
  }
  std::size_t values = 0;
  const Element* start = child(item, answer_);
  for (const Element* at = start; at != nullptr && at->name == answer_; at = at->next) {
    if (const Element* value = child(at, value_); value != nullptr) {
      answer(value, form);
      if (++values == 2 && !form.repeats) {
        report_.error("structure", "questionnaire-repeats",
                      "the question " + quoted(form.linkId) + " may have one answer only", at);
      }
    }
    items(at, form.children, &form);
  }
  if (values == 0 && form.required && complete_) {
    report_.error("required", "questionnaire-required",
                  "the question " + quoted(form.linkId) + " has no answer; a completed response must have one", item);
  }
}

void ResponseCheck::answer(const Element* value, const FormItem& form) {
  if (!isTyped(value, form)) {
    const std::string given(schema_.nameText(schema_.type(value->type).name));
    return report_.error("structure", "questionnaire-type",
                         "a " + given + " is no answer to the question " + quoted(form.linkId) + " of the type " +
                             std::string(form.type),
                         value);
  }
  if (form.maxLength > 0 && value->hasValue() && characters(value->value()) > form.maxLength) {
    report_.error("too-long", "max-length",
                  "may have at most " + std::to_string(form.maxLength) + " characters, as the Questionnaire says",
                  value);
  }
  isOption(value, form);
}

bool ResponseCheck::isTyped(const Element* value, const FormItem& form) const {
  if (form.type == "question") return false;  // an abstract type
  const bool open = form.type == "open-choice";
  if (open && (value->type == fhir::r4::kString || value->type == fhir::r4::kCoding)) return true;
  if (const fhir::TypeId type = answerType(form.type); type != fhir::kNone && schema_.isA(value->type, type))
    return true;
  if (!open && form.type != "choice") return false;
  return std::any_of(form.options.begin(), form.options.end(),
                     [&](const Element* option) { return option->type == value->type; });
}

/// Of an open choice, other texts and codes are answers too.
void ResponseCheck::isOption(const Element* value, const FormItem& form) {
  if (form.type == "open-choice") return;
  if (!form.options.empty()) {
    if (std::any_of(form.options.begin(), form.options.end(),
                    [&](const Element* option) { return isSame(option, value); })) {
      return;
    }
    return report_.error("code-invalid", "questionnaire-option",
                         "the answer is none of the options of the question " + quoted(form.linkId), value);
  }
  if (form.valueSet.empty() || value->type != fhir::r4::kCoding) return;
  const std::string_view system = valueAt(document_, value, "system");
  switch (schema_.inValueSet(form.valueSet, system, valueAt(document_, value, "code"))) {
    case fhir::Schema::Membership::In: return;
    case fhir::Schema::Membership::NotIn:
      return report_.error(
          "code-invalid", "questionnaire-option",
          "the answer is not in " + std::string(form.valueSet) + ", the answers to the question " + quoted(form.linkId),
          value);
    case fhir::Schema::Membership::Unknown: break;
  }
  report_.add(options_.unknownCodes, "informational", "binding-unknown",
              "not checked: the codes of " + std::string(form.valueSet) + " are not all known here", value);
}

/// Codes by system and code, references by what they refer to, all else by its value.
bool ResponseCheck::isSame(const Element* option, const Element* value) const {
  const auto both = [&](std::string_view name) {
    return valueAt(form_.document(), option, name) == valueAt(document_, value, name);
  };
  if (option->type == fhir::r4::kCoding && value->type == fhir::r4::kCoding) return both("system") && both("code");
  if (option->type == fhir::r4::kReference && value->type == fhir::r4::kReference) return both("reference");
  if (option->hasValue() && value->hasValue() && option->value() == value->value()) return true;
  return compare(document_, value, form_.document(), option) == 0;
}

bool ResponseCheck::isEnabled(const FormItem& form, const Element* holder) const {
  const auto holds = [&](const FormItem::Condition& condition) { return this->holds(condition, holder); };
  return form.anyCondition ? std::any_of(form.conditions.begin(), form.conditions.end(), holds)
                           : std::all_of(form.conditions.begin(), form.conditions.end(), holds);
}

bool ResponseCheck::holds(const FormItem::Condition& condition, const Element* holder) const {
  bool any = false;
  bool met = false;
  for (const Element* item : nearest(condition.question, holder)) {
    const Element* start = child(item, answer_);
    for (const Element* at = start; at != nullptr && at->name == answer_; at = at->next) {
      const Element* value = child(at, value_);
      if (value == nullptr) continue;
      any = true;
      met = met || meets(value, condition);
    }
  }
  if (condition.op != "exists") return met;
  return any == (condition.answer == nullptr || condition.answer->value() == "true");
}

bool ResponseCheck::meets(const Element* value, const FormItem::Condition& condition) const {
  if (condition.answer == nullptr || condition.op == "exists") return false;
  if (condition.op == "=") return isSame(condition.answer, value);
  if (condition.op == "!=") return !isSame(condition.answer, value);
  const std::optional<int> order = compare(document_, value, form_.document(), condition.answer);
  if (!order) return false;
  if (condition.op == ">") return *order > 0;
  if (condition.op == "<") return *order < 0;
  return condition.op == ">=" ? *order >= 0 : *order <= 0;
}

/// The items of that linkId that stand nearest to what `holder` holds: inside of it, else of what holds it, and so on.
std::vector<const Element*> ResponseCheck::nearest(std::string_view linkId, const Element* holder) const {
  const auto all = byLinkId_.find(linkId);
  if (all == byLinkId_.end()) return {};
  const auto before = [&](const Element* item, std::uint32_t place) { return ranges_.at(item).begin < place; };
  for (const Element* at = holder; at != nullptr; at = at->parent) {
    const auto range = ranges_.find(at);
    if (range == ranges_.end()) break;
    const auto& items = all->second;
    const auto begin = std::lower_bound(items.begin(), items.end(), range->second.begin, before);
    const auto end = std::lower_bound(begin, items.end(), range->second.end, before);
    if (begin != end) return {begin, end};
  }
  return {};
}

}  // namespace lotsen::validation
