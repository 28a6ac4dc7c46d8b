// QuestionnaireResponses against Questionnaires of a package, rule by rule.
#include "tests/validation/known.h"

namespace lotsen::validation {
namespace {

std::string questionnaire(std::string_view items, std::string_view more = "") {
  return R"({"resourceType":"Questionnaire","url":"http://t.se/q","status":"active",)" + std::string(more) +
         R"("item":[)" + std::string(items) + "]}";
}

std::string response(std::string_view items, std::string_view status = "completed",
                     std::string_view canonical = "http://t.se/q") {
  return R"({"resourceType":"QuestionnaireResponse","questionnaire":")" + std::string(canonical) + R"(","status":")" +
         std::string(status) + "\"" + (items.empty() ? "" : ",\"item\":[" + std::string(items) + "]") + "}";
}

std::string answered(std::string_view linkId, std::string_view value) {
  return R"({"linkId":")" + std::string(linkId) + R"(","answer":[{)" + std::string(value) + "}]}";
}

/// The rules and places of the errors.
std::string rules(const std::string& items, const std::string& answers, std::string_view status = "completed") {
  const Known known({questionnaire(items)});
  return known.faults(response(answers, status));
}

TEST(QuestionnaireResponses, HaveTheItemsOfTheQuestionnaireInItsPlacesAndOrder) {
  const Known known({questionnaire(
      R"({"linkId":"g","type":"group","item":[{"linkId":"a","type":"string"},{"linkId":"b","type":"string",
      "item":[{"linkId":"c","type":"string"}]}]},{"linkId":"d","type":"display","text":"x"})")});
  const std::string a = answered("a", R"("valueString":"x")");
  const std::string c = answered("c", R"("valueString":"x")");
  const std::string b = R"({"linkId":"b","answer":[{"valueString":"x","item":[)" + c + "]}]}";
  const auto group = [](const std::string& items) { return R"({"linkId":"g","item":[)" + items + "]}"; };
  EXPECT_EQ(known.faults(response(group(a + "," + b))), "");
  EXPECT_EQ(known.faults(response(group(b + "," + a))), "questionnaire-order QuestionnaireResponse.item[0].item[1]\n");
  EXPECT_EQ(known.faults(response(a)), "questionnaire-link QuestionnaireResponse.item[0]\n");
  EXPECT_EQ(known.faults(response(group(c))), "questionnaire-link QuestionnaireResponse.item[0].item[0]\n");
  EXPECT_EQ(known.faults(response(answered("e", R"("valueString":"x")"))),
            "questionnaire-link QuestionnaireResponse.item[0]\n");
  EXPECT_EQ(known.faults(response(group(R"({"linkId":"b","item":[)" + c + "]}"))),
            "questionnaire-link QuestionnaireResponse.item[0].item[0].item[0]\n");
  EXPECT_EQ(known.faults(response(R"({"linkId":"g","answer":[{"valueString":"x"}]})")),
            "questionnaire-type QuestionnaireResponse.item[0].answer[0]\n");
  EXPECT_EQ(known.faults(response(answered("d", R"("valueString":"x")"))),
            "questionnaire-type QuestionnaireResponse.item[0].answer[0]\n");
}

TEST(QuestionnaireResponses, HaveWhatIsRequiredOnceTheyAreComplete) {
  const std::string items =
      R"({"linkId":"a","type":"string","required":true},{"linkId":"b","type":"group","required":true})";
  EXPECT_EQ(rules(items, R"({"linkId":"a","text":"x"})", "in-progress"), "");
  EXPECT_EQ(rules(items, R"({"linkId":"a","text":"x"},{"linkId":"b","text":"x"})", "amended"),
            "questionnaire-required QuestionnaireResponse.item[0]\n");
  EXPECT_EQ(rules(items, answered("a", R"("valueString":"x")")), "questionnaire-required QuestionnaireResponse\n");
}

TEST(QuestionnaireResponses, RepeatOnlyWhatRepeats) {
  const std::string items =
      R"({"linkId":"a","type":"string"},{"linkId":"b","type":"string","repeats":true},{"linkId":"c","type":"group","repeats":true})";
  const std::string two = R"("valueString":"x"},{"valueString":"y")";
  EXPECT_EQ(rules(items, answered("b", two) + R"(,{"linkId":"c","text":"x"},{"linkId":"c","text":"y"})"), "");
  EXPECT_EQ(rules(items, answered("a", two)), "questionnaire-repeats QuestionnaireResponse.item[0].answer[1]\n");
  EXPECT_EQ(rules(items, R"({"linkId":"b","text":"x"},{"linkId":"b","text":"x"})"),
            "questionnaire-repeats QuestionnaireResponse.item[1]\n");
}

struct TypeCase {
  const char *type, *right, *wrong;
};

TEST(QuestionnaireResponses, AnswerWithTheTypeOfTheItem) {
  for (const TypeCase& one :
       std::vector<TypeCase>{{"boolean", R"("valueBoolean":true)", R"("valueString":"true")"},
                             {"decimal", R"("valueDecimal":1.5)", R"("valueInteger":1)"},
                             {"integer", R"("valueInteger":1)", R"("valueDecimal":1.5)"},
                             {"date", R"("valueDate":"2026-01-01")", R"("valueDateTime":"2026-01-01")"},
                             {"dateTime", R"("valueDateTime":"2026-01-01")", R"("valueDate":"2026-01-01")"},
                             {"time", R"("valueTime":"08:00:00")", R"("valueString":"08:00:00")"},
                             {"text", R"("valueString":"x")", R"("valueUri":"urn:x")"},
                             {"url", R"("valueUri":"urn:x")", R"("valueString":"urn:x")"},
                             {"choice", R"("valueCoding":{"code":"x"})", R"("valueString":"x")"},
                             {"open-choice", R"("valueString":"x")", R"("valueInteger":1)"},
                             {"attachment", R"("valueAttachment":{"title":"x"})", R"("valueUri":"urn:x")"},
                             {"reference", R"("valueReference":{"display":"x"})", R"("valueString":"x")"},
                             {"quantity", R"("valueQuantity":{"value":1})", R"("valueDecimal":1)"}}) {
    const std::string items = R"({"linkId":"a","type":")" + std::string(one.type) + "\"}";
    EXPECT_EQ(rules(items, answered("a", one.right)), "") << one.type;
    EXPECT_NE(rules(items, answered("a", one.wrong)).find("questionnaire-type"), std::string::npos) << one.type;
  }
}

TEST(QuestionnaireResponses, AnswerWithAnOption) {
  const std::string options =
      R"("answerOption":[{"valueCoding":{"system":"urn:s","code":"yes","display":"Ja"}},{"valueInteger":7}]})";
  const std::string items =
      R"({"linkId":"a","type":"choice",)" + options + R"(,{"linkId":"b","type":"open-choice",)" + options;
  EXPECT_EQ(rules(items, answered("a", R"("valueCoding":{"system":"urn:s","code":"yes","display":"Yes"})")), "");
  EXPECT_EQ(rules(items, answered("a", R"("valueInteger":7)")), "");
  EXPECT_EQ(rules(items, answered("a", R"("valueInteger":8)")),
            "questionnaire-option QuestionnaireResponse.item[0].answer[0].value.ofType(integer)\n");
  EXPECT_EQ(rules(items, answered("a", R"("valueCoding":{"system":"urn:t","code":"yes"})")),
            "questionnaire-option QuestionnaireResponse.item[0].answer[0].value.ofType(Coding)\n");
  EXPECT_EQ(rules(items, answered("b", R"("valueString":"perhaps")")), "");
  EXPECT_EQ(rules(R"({"linkId":"a","type":"string","maxLength":3})", answered("a", R"("valueString":"åäöå")")),
            "max-length QuestionnaireResponse.item[0].answer[0].value.ofType(string)\n");
}

TEST(QuestionnaireResponses, AnswerFromAValueSet) {
  const Known known({questionnaire(
      R"({"linkId":"a","type":"choice","answerValueSet":"http://hl7.org/fhir/ValueSet/administrative-gender"},
         {"linkId":"b","type":"choice","answerValueSet":"http://t.se/nobody"})")});
  const std::string gender = R"("valueCoding":{"system":"http://hl7.org/fhir/administrative-gender","code":")";
  EXPECT_EQ(known.faults(response(answered("a", gender + "female\"}"))), "");
  EXPECT_EQ(known.faults(response(answered("a", gender + "kvinna\"}"))),
            "questionnaire-option QuestionnaireResponse.item[0].answer[0].value.ofType(Coding)\n");
  EXPECT_EQ(known.faults(response(answered("b", gender + "kvinna\"}")), {}, fhir::Severity::Information),
            "binding-unknown QuestionnaireResponse.item[0].answer[0].value.ofType(Coding)\n");
}

TEST(QuestionnaireResponses, AnswerNothingThatIsHidden) {
  const auto when = [](std::string_view conditions) {
    return R"({"linkId":"n","type":"integer"},{"linkId":"s","type":"boolean"},{"linkId":"h","type":"group","required":true,
        "enableBehavior":"any","enableWhen":[)" +
           std::string(conditions) + R"(],"item":[{"linkId":"a","type":"string","required":true}]})";
  };
  const std::string hidden = R"({"linkId":"h","item":[)" + answered("a", R"("valueString":"x")") + "]}";
  const auto number = [](std::string_view value) { return answered("n", "\"valueInteger\":" + std::string(value)); };
  const std::string wrong = "questionnaire-enabled QuestionnaireResponse.item[1]\n";
  struct Operator {
    std::string name;
    bool low, equal, high;
  };
  for (const Operator& op : std::vector<Operator>{{"=", false, true, false},
                                                  {"!=", true, false, true},
                                                  {">", false, false, true},
                                                  {"<", true, false, false},
                                                  {">=", false, true, true},
                                                  {"<=", true, true, false}}) {
    const std::string items = when(R"({"question":"n","operator":")" + op.name + R"(","answerInteger":5})");
    EXPECT_EQ(rules(items, number("4") + "," + hidden), op.low ? "" : wrong) << op.name;
    EXPECT_EQ(rules(items, number("5") + "," + hidden), op.equal ? "" : wrong) << op.name;
    EXPECT_EQ(rules(items, number("6") + "," + hidden), op.high ? "" : wrong) << op.name;
    EXPECT_EQ(rules(items, number("4")), op.low ? "questionnaire-required QuestionnaireResponse\n" : "") << op.name;
  }
  const std::string exists = when(R"({"question":"n","operator":"exists","answerBoolean":false},
                                     {"question":"s","operator":"=","answerBoolean":true})");
  EXPECT_EQ(rules(exists, hidden), "");
  EXPECT_EQ(rules(exists, number("4") + "," + hidden), wrong);
  EXPECT_EQ(rules(exists, number("4") + "," + answered("s", R"("valueBoolean":true)") + "," + hidden), "");
}

TEST(QuestionnaireResponses, AskTheNearestAnswer) {
  const std::string items = R"({"linkId":"g","type":"group","repeats":true,"item":[{"linkId":"s","type":"boolean"},
      {"linkId":"a","type":"string","enableWhen":[{"question":"s","operator":"=","answerBoolean":true}]}]})";
  const auto group = [](std::string_view asked, bool with) {
    return R"({"linkId":"g","item":[)" + answered("s", "\"valueBoolean\":" + std::string(asked)) +
           (with ? "," + answered("a", R"("valueString":"x")") : "") + "]}";
  };
  EXPECT_EQ(rules(items, group("true", true) + "," + group("false", false)), "");
  EXPECT_EQ(rules(items, group("true", false) + "," + group("false", true)),
            "questionnaire-enabled QuestionnaireResponse.item[1].item[1]\n");
}

TEST(QuestionnaireResponses, KnowTheirQuestionnaireByCanonicalOrContainIt) {
  const std::string old = R"({"linkId":"a","type":"string"})";
  const Known known({questionnaire(old, R"("version":"1.9",)"),
                     questionnaire(R"({"linkId":"b","type":"string"})", R"("version":"1.10",)")});
  const std::string b = answered("b", R"("valueString":"x")");
  const std::string wrong = "questionnaire-link QuestionnaireResponse.item[0]\n";
  EXPECT_EQ(known.faults(response(b)), "");
  EXPECT_EQ(known.faults(response(b, "completed", "http://t.se/q|1.10")), "");
  EXPECT_EQ(known.faults(response(b, "completed", "http://t.se/q|1.9")), wrong);
  EXPECT_EQ(known.faults(response(b, "completed", "http://t.se/other"), {}, fhir::Severity::Warning),
            "questionnaire-unknown QuestionnaireResponse.questionnaire\n");
  const auto containing = [&](std::string_view id) {
    return R"({"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#)" + std::string(id) +
           R"(","contained":[{"resourceType":"Questionnaire","id":"q","status":"active","item":[)" + old +
           R"(]}],"item":[)" + b + "]}";
  };
  EXPECT_EQ(known.faults(containing("q")), wrong);
  EXPECT_NE(known.faults(containing("p")).find("questionnaire-unknown"), std::string::npos);
}

}  // namespace
}  // namespace lotsen::validation
