// Issues: faults and notes about *data*, as FHIR sees them. Parsing, mapping, validation and gates fill a sink and go
// on; what happens next (refuse, warn, park) is the caller's policy. Becomes an OperationOutcome with outcome.h. Thread
// rule: one thread. No value of an element ever goes into `text` or a path.
#pragma once

#include "gateway/fhir/element.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhir {

enum class Severity : std::uint8_t { Fatal, Error, Warning, Information };

struct Issue {
  Severity severity = Severity::Error;
  std::string code;  // FHIR issue-type: structure, required, value, invariant, business-rule, duplicate, too-long …
  std::string rule;  // our name of the rule, stable: "json-duplicate-key", "btf-too-short", or an invariant key "dom-3"
  std::string text;  // what is wrong and what to do; no patient data
  std::string expression;  // FHIRPath of the element in the FHIR tree; empty if there is none
  std::string source;      // path in the source record (mapping), or map file and rule; empty if there is none
  Position at;             // place in the file that was read
};

class Issues {
 public:
  void add(Issue issue) { list_.push_back(std::move(issue)); }
  void error(std::string_view code, std::string_view rule, std::string text, std::string expression = {},
             Position at = {});
  void warning(std::string_view code, std::string_view rule, std::string text, std::string expression = {},
               Position at = {});

  const std::vector<Issue>& list() const { return list_; }
  bool hasErrors() const;  // a Fatal or an Error
  bool empty() const { return list_.empty(); }
  void append(const Issues& other);

 private:
  std::vector<Issue> list_;
};

std::string_view severityCode(Severity severity);  // "error"

}  // namespace lotsen::fhir
