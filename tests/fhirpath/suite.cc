#include "tests/fhirpath/suite.h"

#include "gateway/base/text.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/fhirpath/decimal.h"
#include "gateway/fhirpath/temporal.h"
#include "gateway/xml/reader.h"

#include <zlib.h>

#include <algorithm>
#include <filesystem>

namespace lotsen::fhirpath {
namespace {

class SuiteReader final : public xml::Handler {
 public:
  bool startElement(std::string_view, std::string_view name, std::span<const xml::Attribute> attributes,
                    xml::Place) override {
    const auto value = [&](std::string_view wanted) {
      for (const xml::Attribute& attribute : attributes) {
        if (attribute.name == wanted) return std::string(attribute.value);
      }
      return std::string();
    };
    text_.clear();
    if (name == "group") group_ = value("name");
    if (name == "test") {
      SuiteTest test;
      test.group = group_;
      test.name = value("name");
      test.inputFile = value("inputfile");
      test.predicate = value("predicate") == "true";
      test.mode = value("mode");
      test.ordered = value("ordered") != "false";
      const int ordinal = ++seen_[group_ + "/" + test.name];
      test.id = group_ + "/" + test.name + (ordinal > 1 ? "#" + std::to_string(ordinal) : "");
      tests.push_back(std::move(test));
    }
    if (name == "expression" && !tests.empty()) tests.back().invalid = value("invalid");
    if (name == "output" && !tests.empty()) tests.back().outputs.push_back({value("type"), {}});
    return true;
  }
  bool endElement(xml::Place) override {
    if (tests.empty()) return true;
    SuiteTest& test = tests.back();
    if (test.expression.empty()) {
      test.expression = text_;
    } else if (!test.outputs.empty() && test.outputs.back().value.empty()) {
      test.outputs.back().value = text_;
    }
    text_.clear();
    return true;
  }
  bool text(std::string_view characters, xml::Place) override {
    text_ += characters;
    return true;
  }

  std::vector<SuiteTest> tests;

 private:
  std::string group_;
  std::string text_;
  std::map<std::string, int> seen_;
};

std::string spelled(const Value& value) {
  if (value.kind == Kind::Quantity) return std::string(value.text) + " '" + std::string(value.unit) + "'";
  return std::string(toText(value));
}

bool isNumberType(std::string_view type) {
  return type == "integer" || type == "decimal" || type == "positiveInt" || type == "unsignedInt";
}

/// Whether one value is the expected one.
bool matches(const SuiteOutput& expected, const Value& value) {
  std::string got = spelled(value);
  std::string want = expected.value;
  const bool moment = want.starts_with('@');
  if (moment) want.erase(0, want.starts_with("@T") ? 2 : 1);
  if (isNumberType(expected.type)) {
    const auto a = Decimal::parse(got);
    const auto b = Decimal::parse(want);
    return a && b && Decimal::compare(*a, *b) == 0;
  }
  if (got == want) return true;
  if (!moment) {
    const auto a = Decimal::parse(got);
    const auto b = Decimal::parse(want);
    return expected.type.empty() && a && b && a->isZero() && b->isZero() && a->scale() == b->scale();  // "-0.0"
  }
  const auto a = Temporal::parseDateTime(got);
  const auto b = Temporal::parseDateTime(want);
  return a && b && a->zoned && b->zoned && a->precision == b->precision &&
         Temporal::compare(*a, *b) == Temporal::Order::Equal;
}

std::string judge(const SuiteTest& test, const Collection& values) {
  if (test.predicate) {  // the result as a Boolean
    const bool truth = !values.empty() && !(values.size() == 1 && toText(values[0]) == "false");
    return test.outputs.size() == 1 && test.outputs[0].value == (truth ? "true" : "false") ? ""
                                                                                           : "the predicate is wrong";
  }
  if (values.size() != test.outputs.size())
    return std::to_string(values.size()) + " values instead of " + std::to_string(test.outputs.size());
  std::vector<bool> taken(values.size(), false);
  for (std::size_t i = 0; i < values.size(); ++i) {
    bool found = false;
    for (std::size_t j = test.ordered ? i : 0; j < (test.ordered ? i + 1 : values.size()) && !found; ++j) {
      found = !taken[j] && matches(test.outputs[i], values[j]);
      if (found) taken[j] = true;
    }
    if (!found) return "'" + spelled(values[i]) + "' instead of '" + test.outputs[i].value + "'";
  }
  return "";
}

bool readMaybeCompressed(const std::string& path, std::string& out) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  char buffer[16 * 1024];
  int count = 0;
  while ((count = gzread(file, buffer, sizeof buffer)) > 0) out.append(buffer, static_cast<std::size_t>(count));
  return gzclose(file) == Z_OK && count == 0;
}

}  // namespace

Result<std::vector<SuiteTest>> readSuite(const std::string& path) {
  std::string bytes;
  if (!readMaybeCompressed(path, bytes)) return fail(Code::NotFound, "cannot read " + path);
  SuiteReader reader;
  xml::Limits limits;
  if (const auto fault = xml::parse(bytes, limits, reader)) return fail(fault->code, fault->text);
  return std::move(reader.tests);
}

bool SuiteInputs::has(const std::string& file) const {
  return file.empty() || std::filesystem::exists(folder_ + "/" + file);
}

const fhir::Document* SuiteInputs::get(const std::string& file) {
  auto& document = documents_[file];
  if (document != nullptr) return document.get();
  std::string bytes;
  fhir::Issues issues;
  if (!readFile(folder_ + "/" + file, bytes)) {
    why_ = "cannot read " + file;
    return nullptr;
  }
  auto read =
      file.ends_with(".xml") ? fhir::readXml(bytes, schema_, {}, issues) : fhir::readJson(bytes, schema_, {}, issues);
  if (!read) {
    why_ = file + ": " + read.error().message + (issues.empty() ? "" : "; " + issues.list()[0].text);
    return nullptr;
  }
  document = std::make_unique<fhir::Document>(std::move(*read));
  return document.get();
}

std::string runSuiteTest(const SuiteTest& test, SuiteInputs& inputs) {
  const fhir::Document* document = nullptr;
  if (!test.inputFile.empty()) {
    document = inputs.get(test.inputFile);
    if (document == nullptr) return inputs.why();
  }
  const fhir::Element* root = document != nullptr ? document->root() : nullptr;
  CompileOptions options;
  options.strict = !test.mode.starts_with("lenient");
  options.context = root != nullptr ? root->type : fhir::kNone;
  auto program = Program::compile(test.expression, inputs.schema(), options);
  if (!program) return test.invalid.empty() ? "refused: " + program.error().message : "";
  Environment environment;
  environment.document = document;
  environment.now = fromMillis(1'780'000'000'000);
  Evaluator evaluator(std::move(environment));
  auto values = evaluator.evaluate(*program, root);
  if (!values) return test.invalid.empty() ? "failed: " + values.error().message : "";
  if (!test.invalid.empty()) return "it must raise an error";
  return judge(test, *values);
}

}  // namespace lotsen::fhirpath
