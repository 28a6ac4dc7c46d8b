// A template ready for use: its source (source.h) with every variable's FHIRPath compiled, and its language.
// Used by: render.h, files.h, service. Thread rule: immutable, shared by all workers. Failure rule: every fault goes to
// `issues` with file and line, all of them at once; the result is then Invalid.
#pragma once

#include "gateway/fhirpath/fhirpath.h"
#include "gateway/letter/language.h"
#include "gateway/letter/source.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::letter {

class Template {
 public:
  /// `file` is the name that messages show. Expressions start from a Bundle (templates/README.md says what is in it).
  static Result<Template> parse(std::string_view text, std::string_view file,
                                const std::shared_ptr<const fhir::Schema>& schema, fhir::Issues& issues);

  const std::string& id() const { return source_.id; }
  const std::string& title() const { return source_.title; }
  /// Answers that a 1177 message offers; none: it cannot be answered.
  const std::vector<std::string>& replies() const { return source_.replies; }
  const Source& source() const { return source_; }
  const Language& language() const { return *language_; }
  const fhirpath::Program& program(VariableIndex variable) const { return programs_[variable]; }

 private:
  Source source_;
  std::shared_ptr<const Language> language_;
  std::vector<fhirpath::Program> programs_;  // one per variable
};

}  // namespace lotsen::letter
