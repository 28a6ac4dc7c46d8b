// A Questionnaire made ready for checking responses: its items by linkId. Private to gateway/validation. Thread rule:
// immutable; its Questionnaire must outlive it.
#pragma once

#include "gateway/fhir/element.h"

#include <deque>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lotsen::validation {

struct FormItem {
  enum class Kind : std::uint8_t { Group, Display, Question };
  struct Condition {
    std::string_view question;  // linkId
    std::string_view op;        // "exists", "=", "!=", ">", "<", ">=", "<="
    const fhir::Element* answer = nullptr;
  };

  const FormItem* parent = nullptr;
  std::vector<const FormItem*> children;
  std::uint32_t number = 0;  // in the order of the Questionnaire
  std::string_view linkId;
  std::string_view type;  // the code
  Kind kind = Kind::Question;
  bool required = false, repeats = false;
  std::size_t maxLength = 0;  // in characters; 0: no bound
  std::string_view valueSet;
  std::vector<const fhir::Element*> options;
  std::vector<Condition> conditions;
  bool anyCondition = false;  // one is enough
};

class Form {
 public:
  /// `questionnaire`: a Questionnaire of `document`.
  Form(const fhir::Document& document, const fhir::Element* questionnaire);

  const fhir::Document& document() const { return document_; }
  /// nullptr: no item has this linkId.
  const FormItem* find(std::string_view linkId) const;
  const std::vector<const FormItem*>& items() const { return top_; }

 private:
  void addItems(const fhir::Element* parent, FormItem* above);
  void read(const fhir::Element* element, FormItem& item) const;

  const fhir::Document& document_;
  std::deque<FormItem> all_;
  std::vector<const FormItem*> top_;
  std::unordered_map<std::string_view, const FormItem*> byLinkId_;
};

}  // namespace lotsen::validation
