// Every operator and function by example (language.txt): a result, and what is empty or refused.
#include "gateway/base/text.h"
#include "gateway/fhirpath/functions.h"
#include "tests/fhirpath/evaluate.h"

namespace lotsen::fhirpath {
namespace {

struct Example {
  int line = 0;
  std::string expression;
  std::string result;  // values as evaluated() spells them; "" for the empty collection, "error"
};

/// "expression => result" a line; '#' starts a comment.
std::vector<Example> readExamples() {
  std::string text;
  EXPECT_TRUE(readFile(std::string(LOTSEN_SOURCE_DIR) + "/tests/fhirpath/language.txt", text));
  std::vector<Example> examples;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::size_t arrow = line.rfind(" =>");
    if (trim(line).empty() || line.starts_with('#')) continue;
    EXPECT_NE(arrow, std::string_view::npos) << "line " << number;
    if (arrow != std::string_view::npos)
      examples.push_back({number, std::string(line.substr(0, arrow)), std::string(trim(line.substr(arrow + 3)))});
  }
  return examples;
}

TEST(Language, GivesWhatTheExamplesSay) {
  const auto document = readDocument(kBundle);
  const fhir::Element* patient = fhir::child(*document, fhir::child(*document, document->root(), "entry"), "resource");
  ASSERT_NE(patient, nullptr);
  for (const Example& example : readExamples()) {
    std::string result = evaluated(example.expression, document.get(), patient);
    if (example.result == "error" && result.starts_with("error: ")) result = "error";
    EXPECT_EQ(result, example.result) << "language.txt:" << example.line << ": " << example.expression;
  }
}

/// Whether an expression calls the function, not something whose name ends so.
bool calls(std::string_view expression, std::string_view function) {
  const std::string call = std::string(function) + "(";
  for (std::size_t at = expression.find(call); at != std::string_view::npos; at = expression.find(call, at + 1)) {
    const char before = at == 0 ? '.' : expression[at - 1];
    if (std::isalnum(static_cast<unsigned char>(before)) == 0) return true;
  }
  return false;
}

TEST(Language, EveryFunctionAndOperatorHasAnExampleOfEach) {
  std::vector<std::string> wanted;
  for (const std::string_view name : functionNames()) {
    if (name != "slice") wanted.emplace_back(name);  // by the Host: evaluator_test.cc
  }
  for (const std::string_view text :
       {"=", "!=", "~",   "!~",  "<",   "<=", ">",   ">=",      "|",  "&",        "+",  "-",
        "*", "/",  "div", "mod", "and", "or", "xor", "implies", "in", "contains", "is", "as"})
    wanted.push_back(" " + std::string(text) + " ");
  const auto examples = readExamples();
  for (const std::string& name : wanted) {
    bool gives = false;
    bool fails = false;
    for (const Example& example : examples) {
      const bool there =
          name.starts_with(' ') ? example.expression.find(name) != std::string::npos : calls(example.expression, name);
      const bool value =
          !example.result.empty() && example.result != "error" && example.result != "System.Boolean:false";
      gives = gives || (there && value);
      fails = fails || (there && !value);
    }
    EXPECT_TRUE(gives) << name << " has no example with a result";
    EXPECT_TRUE(fails) << name << " has no example that is empty, false or refused";
  }
}

}  // namespace
}  // namespace lotsen::fhirpath
