#include "gateway/fhirpath/fhirpath.h"
#include "gateway/fhirpath/syntax.h"

namespace lotsen::fhirpath {

Result<std::size_t> expressionLength(std::string_view text, fhir::Position at, bool stopAtAs) {
  SyntaxTree tree;
  Arena decoded;
  ParseOptions options;
  options.prefix = true;
  options.stopAtAs = stopAtAs;
  LOTSEN_TRY_DO(parse(text, at, options, decoded, tree));
  return tree.length;
}

}  // namespace lotsen::fhirpath
