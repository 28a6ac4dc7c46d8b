// What `lotsen fhirpath` and its bench share: the lines of a batch, context documents that are read once, and one
// evaluation from text to values. Thread rule: one thread. Failure rule: a document that cannot be read is the error of
// each line that names it; a line that is no JSON object makes the whole batch unreadable.
#pragma once

#include "gateway/fhir/element.h"
#include "gateway/fhirpath/fhirpath.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lotsen::app {

struct BatchLine {
  std::string id;
  std::string expression;
  std::string file;  // "-": no context
};

/// The JSON lines {"id","expression","file"} of a file or standard input; nullopt after telling the fault on stderr.
std::optional<std::vector<BatchLine>> readBatch(const std::string& file);

/// The documents that expressions are evaluated on, each read once.
class FhirpathContexts {
 public:
  /// Of "-" an empty document without a root.
  const Result<std::shared_ptr<const fhir::Document>>& get(const std::string& file);

 private:
  std::map<std::string, Result<std::shared_ptr<const fhir::Document>>> documents_;
};

/// Parses, compiles (strictly) and evaluates: nothing is remembered from one call to the next. `use` gets the values
/// while they are valid.
Status evaluateText(const std::string& expression, const fhir::Document& document, Instant now,
                    const std::function<void(const fhirpath::Collection&)>& use);

}  // namespace lotsen::app
