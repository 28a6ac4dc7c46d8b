// A QuestionnaireResponse held against its Questionnaire. Private to gateway/validation.
#pragma once

#include "gateway/validation/forms.h"
#include "gateway/validation/report.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lotsen::validation {

/// One check of one response: items where the Questionnaire has them, in its order, as often as it lets them; answers
/// of the item's type, among its options; nothing where a condition (enableWhen) hides the item; what is required, if
/// the response says that it is complete (R4, QuestionnaireResponse).
class ResponseCheck {
 public:
  ResponseCheck(const fhir::Document& document, const Form& form, Report& report, const Options& options);

  void run(const fhir::Element* response);

 private:
  /// Where the items of the response stand, for conditions: places in document order.
  struct Range {
    std::uint32_t begin = 0, end = 0;
  };

  void number(const fhir::Element* holder, std::uint32_t& next);
  void items(const fhir::Element* holder, const std::vector<const FormItem*>& wanted, const FormItem* above);
  bool belongs(const fhir::Element* item, const FormItem* known, const FormItem* above);
  void item(const fhir::Element* item, const FormItem& form);
  void answers(const fhir::Element* item, const FormItem& form);
  void answer(const fhir::Element* value, const FormItem& form);
  bool isTyped(const fhir::Element* value, const FormItem& form) const;
  void isOption(const fhir::Element* value, const FormItem& form);
  bool isSame(const fhir::Element* option, const fhir::Element* value) const;

  bool isEnabled(const FormItem& form, const fhir::Element* holder) const;
  bool holds(const FormItem::Condition& condition, const fhir::Element* holder) const;
  bool meets(const fhir::Element* value, const FormItem::Condition& condition) const;
  std::vector<const fhir::Element*> nearest(std::string_view linkId, const fhir::Element* holder) const;

  const fhir::Document& document_;
  const fhir::Schema& schema_;
  const Form& form_;
  Report& report_;
  const Options& options_;
  fhir::NameId item_, answer_, value_;
  bool complete_ = false;
  std::unordered_map<const fhir::Element*, Range> ranges_;
  std::unordered_map<std::string_view, std::vector<const fhir::Element*>> byLinkId_;  // in document order
};

}  // namespace lotsen::validation
