#include "gateway/letter/template.h"

namespace lotsen::letter {

Result<Template> Template::parse(std::string_view text, std::string_view file,
                                 const std::shared_ptr<const fhir::Schema>& schema, fhir::Issues& issues) {
  LOTSEN_TRY(Source source, parseSource(text, file, issues));
  Template result;
  bool good = true;
  const auto fault = [&](std::string_view rule, std::string message, fhir::Position at) {
    good = false;
    fhir::Issue issue;
    issue.code = "structure";
    issue.rule = rule;
    issue.text = std::move(message);
    issue.source = source.file + ":" + std::to_string(at.line);
    issue.at = at;
    issues.add(std::move(issue));
  };
  result.language_ = Language::find(source.language);
  if (!result.language_) {
    fault("template-language", "letters in '" + source.language + "' are not supported; use sv-SE", {1, 1});
  }
  fhirpath::CompileOptions options;
  options.context = schema->findType("Bundle");
  options.strict = true;
  for (const Variable& variable : source.variables) {
    auto program = fhirpath::Program::compile(variable.expression, schema, options, variable.expressionAt);
    if (program.ok()) {
      result.programs_.push_back(std::move(program).value());
    } else {
      fault("template-fhirpath", "variable '" + variable.name + "': " + program.error().message, variable.expressionAt);
    }
  }
  if (!good) return fail(Code::Invalid, "template " + source.file + " has faults and cannot be used");
  result.source_ = std::move(source);
  return result;
}

}  // namespace lotsen::letter
