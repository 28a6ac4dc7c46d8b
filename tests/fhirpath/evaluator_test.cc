// The evaluator as its callers see it: limits, the loss account's mark, the Host, variables, memory, threads.
#include "tests/fhirpath/evaluate.h"

#include <thread>

namespace lotsen::fhirpath {
namespace {

Program compiled(std::string_view text, const CompileOptions& options = {}) {
  auto program = Program::compile(text, fhir::Schema::r4(), options);
  EXPECT_TRUE(program.ok()) << (program.ok() ? "" : program.error().message);
  return *program;
}

TEST(Evaluator, StopsAtItsLimits) {
  const auto document = readDocument(kBundle);
  Environment environment;
  environment.document = document.get();
  environment.limits.steps = 100'000;
  environment.limits.bytes = 1 << 20;
  Evaluator evaluator(std::move(environment));
  const auto failure = [&](std::string_view text) {
    auto result = evaluator.evaluate(compiled(text), document->root());
    evaluator.reset();
    return result.ok() ? "ok"
                       : std::string(result.error().code == Code::TooLarge ? "too large" : result.error().message);
  };
  EXPECT_EQ(failure("repeatAll($this)"), "too large");
  EXPECT_EQ(failure("'x'.repeat($this & $this)"), "too large");
  EXPECT_EQ(failure("repeat($this | entry).count()"), "ok");
  EXPECT_EQ(failure("descendants().select(%context.descendants()).select(%context.descendants()).count()"),
            "too large");
  EXPECT_EQ(failure("'a'.replace('', '0123456789').replace('', '0123456789').replace('', '0123456789').replace('', "
                    "'0123456789').replace('', "
                    "'0123456789').replace('', '0123456789')"),
            "too large");
  EXPECT_EQ(failure("entry.count()"), "ok");
}

TEST(Evaluator, TellsWhichValuesItHasUsed) {
  const auto document = readDocument(kBundle);
  const fhir::Element* patient = fhir::child(*document, fhir::child(*document, document->root(), "entry"), "resource");
  const auto used = [&](std::string_view expression) {
    std::vector<const fhir::Element*> reads;
    Environment environment;
    environment.reads = &reads;
    EXPECT_EQ(evaluated(expression, document.get(), patient, {}, environment), "System.Boolean:true");
    std::string paths;
    for (const auto* leaf : reads) paths += std::string(document->nameText(leaf->name)) + " ";
    return paths;
  };
  EXPECT_EQ(used("birthDate.exists()"), "");
  EXPECT_EQ(used("birthDate < today() and active"), "birthDate active ");
}

class TestHost final : public Host {
 public:
  const fhir::Element* resolve(std::string_view reference) override {
    return reference == "Organization/7" ? organization : nullptr;
  }
  std::optional<bool> memberOf(std::string_view system, std::string_view code, std::string_view valueSet) override {
    if (valueSet != "http://example.org/vs") return {};
    return system == "http://loinc.org" && code == "29463-7";
  }
  std::optional<bool> conformsTo(const fhir::Element*, std::string_view profile) override {
    if (profile != "http://example.org/profile") return {};
    return true;
  }
  std::optional<bool> inSlice(const fhir::Element* element, std::string_view profile, std::string_view slice) override {
    if (profile != "http://example.org/profile" || slice != "first") return {};
    return element->first != nullptr && element->first->value() == "urn:uuid:0b0d9c1e-6f0a-4b8e-9d5c-000000000001";
  }
  const fhir::Element* organization = nullptr;
};

TEST(Evaluator, AsksTheHost) {
  const auto document = readDocument(kBundle);
  const auto other = readDocument(R"({"resourceType": "Organization", "id": "7", "name": "Sjukhuset"})");
  TestHost host;
  host.organization = other->root();
  Environment environment;
  environment.host = &host;
  const auto value = [&](std::string_view text) { return evaluated(text, document.get(), nullptr, {}, environment); };
  EXPECT_EQ(value("'Organization/7'.resolve().name"), "FHIR.string:Sjukhuset");
  EXPECT_EQ(value("'Organization/8'.resolve()"), "");
  EXPECT_EQ(value("entry.resource.subject.resolve().id"), "FHIR.id:p1");
  EXPECT_EQ(value("entry.resource.ofType(Observation).code.memberOf('http://example.org/vs')"), "System.Boolean:true");
  EXPECT_EQ(value("entry.resource.ofType(Observation).code.memberOf('http://example.org/other')"), "");
  EXPECT_EQ(value("conformsTo('http://example.org/profile')"), "System.Boolean:true");
  EXPECT_EQ(value("entry.slice('http://example.org/profile', 'first').resource.id"), "FHIR.id:p1");
  EXPECT_EQ(value("entry.slice('http://example.org/profile', {}).resource.id"), "");
  EXPECT_NE(value("entry.slice('http://example.org/profile', 'none')").find("error"), std::string::npos);
}

/// Answers conformsTo() with the Evaluator that asks.
class NestingHost final : public Host {
 public:
  std::optional<bool> conformsTo(const fhir::Element* element, std::string_view profile) override {
    const Program& rule = profile == "http://example.org/endless" ? *endless : *named;
    auto result = evaluator->test(rule, element);
    return result.ok() && *result;
  }
  Evaluator* evaluator = nullptr;
  const Program* named = nullptr;
  const Program* endless = nullptr;
};

TEST(Evaluator, EvaluationsNest) {
  const auto document = readDocument(kBundle);
  const Program named = compiled("defineVariable('x', 1).select(name.exists() and %x = 1)");
  const Program endless = compiled("conformsTo('http://example.org/endless')");
  const Program outer = compiled(
      "defineVariable('x', 2).entry.resource.where(conformsTo('http://example.org/named')).select(id & %x.toString() & "
      "%context.type)");
  NestingHost host;
  Environment environment;
  environment.document = document.get();
  environment.host = &host;
  Evaluator evaluator(std::move(environment));
  host.evaluator = &evaluator;
  host.named = &named;
  host.endless = &endless;
  auto result = evaluator.evaluate(outer, document->root());
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->size(), 1U);
  EXPECT_EQ(result->at(0).text, "p12collection");
  auto stopped = evaluator.test(endless, document->root());
  EXPECT_TRUE(stopped.ok() && !*stopped);
}

TEST(Evaluator, ModifiersThatAreNotKnownStopIt) {
  const auto document = readDocument(
      R"({"resourceType": "Patient", "modifierExtension": [{"url": "http://example.org/not", "valueBoolean": true}]})");
  EXPECT_TRUE(evaluated("checkModifiers()", document.get()).starts_with("error: 1:1: "));
  EXPECT_EQ(evaluated("checkModifiers('http://example.org/not').exists()", document.get()), "System.Boolean:true");
}

TEST(Evaluator, VariablesByNameAndTrace) {
  const auto document = readDocument(kBundle);
  Collection values(2);
  values[0].kind = values[1].kind = Kind::Integer;
  values[0].text = "1";
  values[1].text = "2";
  std::string traced;
  Environment environment;
  environment.variable = [&](std::string_view name) { return name == "given" ? &values : nullptr; };
  environment.trace = [&](std::string_view name, const Collection& items) {
    traced += std::string(name) + std::to_string(items.size());
  };
  CompileOptions options;
  options.variables = {"given", "absent"};
  EXPECT_EQ(evaluated("%given.trace('t').sum()", document.get(), nullptr, options, environment), "System.Integer:3");
  EXPECT_EQ(traced, "t2");
  EXPECT_TRUE(evaluated("%absent", document.get(), nullptr, options, environment).starts_with("error: 1:1: "));
}

TEST(Evaluator, FaultsPointIntoTheFile) {
  const auto document = readDocument(kBundle);
  auto program = Program::compile("entry.\n single()", fhir::Schema::r4(), {}, {10, 5});
  ASSERT_TRUE(program.ok());
  Evaluator evaluator({});
  auto result = evaluator.evaluate(*program, document->root());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "11:2: single() found 2 items");
  EXPECT_EQ(result.error().code, Code::Invalid);
}

TEST(Evaluator, TestIsSingletonEvaluation) {
  const auto document = readDocument(kBundle);
  Environment environment;
  environment.document = document.get();
  Evaluator evaluator(std::move(environment));
  const auto test = [&](std::string_view text) {
    auto result = evaluator.test(compiled(text), document->root());
    return !result.ok() ? "error" : *result ? "true" : "false";
  };
  EXPECT_STREQ(test("{}"), "false");
  EXPECT_STREQ(test("false"), "false");
  EXPECT_STREQ(test("type"), "true");
  EXPECT_STREQ(test("entry"), "error");
}

TEST(Evaluator, ValuesLiveUntilReset) {
  const auto document = readDocument(kBundle);
  Environment environment;
  environment.document = document.get();
  Evaluator evaluator(std::move(environment));
  const Program join = compiled("entry.fullUrl.join(',')");
  auto first = evaluator.evaluate(join, document->root());
  ASSERT_TRUE(first.ok());
  const std::string copy(first->at(0).text);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(evaluator.evaluate(join, document->root()).ok());
  EXPECT_EQ(first->at(0).text, copy);
  // A result can be the focus of the next expression.
  const Program length = compiled("$this.length()");
  auto second = evaluator.evaluate(length, *first);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->at(0).text, std::to_string(copy.size()));
  Collection into;
  ASSERT_TRUE(evaluator.evaluateInto(length, *first, into).ok());
  EXPECT_EQ(into.size(), 1U);
}

TEST(Evaluator, AProgramIsSharedByThreads) {
  const Program program =
      compiled("entry.resource.name.where(use = 'official' and family.matches('^Å')).given.join(' ')");
  std::vector<std::thread> threads;
  std::array<int, 4> good{};
  for (std::size_t i = 0; i < good.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto document = readDocument(kBundle);
      Environment environment;
      environment.document = document.get();
      Evaluator evaluator(std::move(environment));
      for (int n = 0; n < 200; ++n) {
        auto result = evaluator.evaluate(program, document->root());
        if (result.ok() && result->size() == 1 && result->at(0).text == "Eva Lo") ++good[i];
        evaluator.reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) EXPECT_EQ(count, 200);
}

TEST(Evaluator, ValuesTellTheirTypeAndJson) {
  const auto document = readDocument(kBundle);
  Environment environment;
  environment.document = document.get();
  Evaluator evaluator(std::move(environment));
  const auto json = [&](std::string_view text) {
    const Program program = compiled(text);  // literals live in it
    auto result = evaluator.evaluate(program, document->root());
    return result.ok() && result->size() == 1
               ? typeName(*document, result->at(0)) + " " + toJson(*document, result->at(0))
               : "?";
  };
  EXPECT_EQ(json("'a\"b'"), "System.String \"a\\\"b\"");
  EXPECT_EQ(json("1.50"), "System.Decimal 1.50");
  EXPECT_EQ(json("true"), "System.Boolean true");
  EXPECT_EQ(json("4 'mg'"), "System.Quantity {\"value\":4,\"unit\":\"mg\"}");
  EXPECT_EQ(json("@2026-03-02T08:00:00+01:00"), "System.DateTime \"2026-03-02T08:00:00+01:00\"");
  EXPECT_EQ(json("entry.resource.value.value"), "FHIR.decimal 72.50");
  EXPECT_EQ(json("type"), "FHIR.code \"collection\"");
  EXPECT_EQ(json("entry.resource.contact.name"), "FHIR.HumanName {\"family\":\"Berg\"}");
}

}  // namespace
}  // namespace lotsen::fhirpath
