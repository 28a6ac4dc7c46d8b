// Collects what a validation finds. Private to gateway/validation.
#pragma once

#include "gateway/validation/validation.h"

#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace lotsen::validation {

/// Each fault once, at most so many of a rule. While it is muted it only notes that there was an error: a trial asks
/// whether an element conforms, not why.
class Report {
 public:
  Report(const fhir::Document& document, fhir::Issues& issues, const Options& options)
      : document_(document), issues_(issues), options_(options) {}

  void error(std::string_view code, std::string_view rule, std::string text, const fhir::Element* at,
             std::string_view profile = {}) {
    add(fhir::Severity::Error, code, rule, std::move(text), at, profile);
  }
  /// `at`: not nullptr. `profile`: whose rule it is; empty: R4's or the model's own.
  void add(fhir::Severity severity, std::string_view code, std::string_view rule, std::string text,
           const fhir::Element* at, std::string_view profile = {});
  void add(Policy policy, std::string_view code, std::string_view rule, std::string text, const fhir::Element* at,
           std::string_view profile = {});
  /// An error of the whole, trials or not.
  void giveUp(std::string_view text) { gaveUp_ = text; }
  /// No more of this rule will be told.
  bool isFull(std::string_view rule) const {
    const auto count = counts_.find(rule);
    return count != counts_.end() && count->second >= options_.mostPerRule;
  }
  /// Tells them in the order of the document, then how many were not told.
  void finish();

  /// A trial begins or ends; they nest.
  class Trial {
   public:
    /// `why`: the first error is wanted.
    Trial(Report& report, bool why)
        : report_(report), before_(report.failed_), wanted_(report.wanted_), why_(std::move(report.why_)) {
      ++report_.muted_;
      report_.failed_ = false;
      report_.wanted_ = why;
      report_.why_.clear();
    }
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;
    ~Trial() {
      --report_.muted_;
      report_.failed_ = before_;
      report_.wanted_ = wanted_;
      report_.why_ = std::move(why_);
    }
    bool failed() const { return report_.failed_; }
    /// The first error.
    const std::string& why() const { return report_.why_; }

   private:
    Report& report_;
    bool before_, wanted_;
    std::string why_;
  };
  bool muted() const { return muted_ > 0; }
  bool failed() const { return failed_; }

 private:
  const fhir::Document& document_;
  fhir::Issues& issues_;
  const Options& options_;
  std::map<std::string, std::size_t, std::less<>> counts_;
  std::unordered_set<std::size_t> told_;
  std::size_t muted_ = 0;
  bool failed_ = false;
  bool wanted_ = false;  // the first error of the trial
  std::string why_;
  std::string_view gaveUp_;  // a literal
  std::vector<std::pair<const fhir::Element*, fhir::Issue>> found_;
};

}  // namespace lotsen::validation
