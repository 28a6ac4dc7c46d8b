#include "gateway/letter/source.h"

#include <gtest/gtest.h>

namespace lotsen::letter {
namespace {

const std::string kFront = R"(---
id: provbrev
lang: sv-SE
title: Provbrev
recipient: patient
notify: Du har ett brev från {{clinic}}.
reply: Ja tack | Nej tack
sender: {{clinic}}
        Box 1
address:
  {{patient.name}}
  {{careOf}}
reference: Datum {{day: datum}}
var clinic: text public = Bundle.entry.resource.ofType(Organization).name.first()
var patient.name: name =
  Bundle.entry.resource.ofType(Patient)
    .name.first().text
var careOf: text optional = 'c/o'
var day: date = '2026-11-19'
)";

/// The front matter above, more declarations, and a body. Its text begins on the line after the front matter.
std::string letter(const std::string& declarations, const std::string& body) {
  return kFront + declarations + "---\n" + body;
}

struct Parsed {
  Result<Source> source;
  fhir::Issues issues;
  bool has(std::string_view rule, int line) const {
    for (const auto& issue : issues.list()) {
      if (issue.rule == rule && issue.at.line == static_cast<std::uint32_t>(line)) return true;
    }
    for (const auto& issue : issues.list()) ADD_FAILURE() << issue.source << ": " << issue.rule << ": " << issue.text;
    return false;
  }
};

Parsed parse(const std::string& text) {
  Parsed parsed{fail(Code::Internal, ""), {}};
  parsed.source = parseSource(text, "provbrev.sv.md", parsed.issues);
  return parsed;
}

/// A body that is good but for what the test adds; the line that `added` stands on is `line`.
struct BodyFault {
  const char* name;
  const char* declarations;
  const char* added;
  const char* rule;
  int line;
};

class SourceFault : public testing::TestWithParam<BodyFault> {};

constexpr int kFirstBodyLine = 22;  // of the file that kFront begins, with one more declaration

TEST(Source, ReadsFrontMatterAndBlocks) {
  const auto parsed =
      parse(letter("var tolk: bool = true\n",
                   "# Provbrev\n\nHej {{patient.name}}, **tisdag\nden {{day: veckodag}}**.\n\n{{#tolk}}\nTolk "
                   "kommer.\n{{/tolk}}\n\n- ett\n- [1177](https://www.1177.se/)\n"));
  ASSERT_TRUE(parsed.source.ok()) << parsed.issues.list().front().text;
  const Source& source = *parsed.source;
  EXPECT_EQ(source.id, "provbrev");
  EXPECT_EQ(source.recipient, Recipient::Patient);
  EXPECT_EQ(source.replies, (std::vector<std::string>{"Ja tack", "Nej tack"}));
  ASSERT_EQ(source.sender.size(), 2U);
  EXPECT_EQ(source.sender[1][0].text, "Box 1");
  ASSERT_EQ(source.variables.size(), 5U);
  EXPECT_EQ(source.variables[1].expression, "Bundle.entry.resource.ofType(Patient)\n    .name.first().text");
  EXPECT_EQ(source.variables[1].expressionAt.line, 16U);
  EXPECT_EQ(source.variables[1].expressionAt.column, 3U);
  EXPECT_EQ(source.variables[0].expressionAt.line, 14U);
  EXPECT_EQ(source.variables[0].expressionAt.column, 27U);
  EXPECT_TRUE(source.variables[0].isPublic);
  ASSERT_EQ(source.body.size(), 4U);
  const Line& hello = source.body[1].lines.front();
  ASSERT_EQ(hello.size(), 8U);
  EXPECT_EQ(hello[1].kind, Piece::Kind::Value);
  EXPECT_TRUE(hello[3].strong);
  EXPECT_EQ(hello[6].form, Form::Weekday);
  EXPECT_EQ(hello[6].line, 25U);
  ASSERT_EQ(source.body[2].guards.size(), 1U);
  EXPECT_TRUE(source.body[2].guards[0].wanted);
  EXPECT_EQ(source.body[3].kind, Node::Kind::Bullets);
  EXPECT_EQ(source.body[3].lines[1][0].link, "https://www.1177.se/");
}

TEST(Source, ConditionInsideAListKeepsOneList) {
  const auto parsed = parse(
      letter("var tolk: bool = true\n", "# A\n\n{{patient.name}}\n\n- ett\n{{#tolk}}\n- två\n{{/tolk}}\n- tre\n"));
  ASSERT_TRUE(parsed.source.ok());
  ASSERT_EQ(parsed.source->body.size(), 5U);
  EXPECT_FALSE(parsed.source->body[2].continues);
  EXPECT_TRUE(parsed.source->body[3].continues);
  EXPECT_TRUE(parsed.source->body[4].continues);
}

TEST(Source, TellsEveryFaultAtOnce) {
  const auto parsed = parse(letter("var unused: text = 'x'\n", "# A\n\n{{nam}} <b>x</b>\n\n{{#patient.name}}\nx\n"));
  EXPECT_FALSE(parsed.source.ok());
  EXPECT_TRUE(parsed.has("template-unused-variable", 20));
  EXPECT_TRUE(parsed.has("template-unknown-variable", 24));
  EXPECT_TRUE(parsed.has("template-markdown", 24));
  EXPECT_TRUE(parsed.has("template-condition", 26));
  EXPECT_EQ(parsed.issues.list().front().source.rfind("provbrev.sv.md:", 0), 0U);
}

TEST_P(SourceFault, IsFoundOnItsLine) {
  const BodyFault& fault = GetParam();
  const auto parsed =
      parse(letter(fault.declarations, std::string("# Provbrev\n\n{{patient.name}}\n\n") + fault.added + "\n"));
  EXPECT_FALSE(parsed.source.ok());
  EXPECT_TRUE(parsed.has(fault.rule, fault.line)) << fault.added;
  EXPECT_EQ(parsed.issues.list().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Body, SourceFault,
    testing::Values(
        BodyFault{"Html", "\n", "<div>x</div>", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"InlineHtml", "\n", "a <br> b", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"Image", "\n", "![x](https://x.example/y.png)", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"Code", "\n", "en `kod`", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"CodeBlock", "\n", "    kod", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"Italics", "\n", "ett *viktigt* ord", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"Quote", "\n", "> citat", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"Rule", "\n", "***", "template-markdown", kFirstBodyLine + 4},
        BodyFault{"Table", "\n", "| a | b |\n|---|---|", "template-table", kFirstBodyLine + 4},
        BodyFault{"HeadingSkipped", "\n", "### Tre", "template-heading", kFirstBodyLine + 4},
        BodyFault{"HeadingFour", "\n", "## A\n\n### B\n\n#### C", "template-heading", kFirstBodyLine + 8},
        BodyFault{"SecondTitle", "\n", "# Igen", "template-heading", kFirstBodyLine + 4},
        BodyFault{"NestedList", "\n", "- a\n  - b", "template-list", kFirstBodyLine + 4},
        BodyFault{"ListFromSeven", "\n", "7. a", "template-list", kFirstBodyLine + 4},
        BodyFault{"HttpLink", "\n", "[x](http://x.example)", "template-link", kFirstBodyLine + 4},
        BodyFault{"ScriptLink", "\n", "[x](javascript:alert(1))", "template-link", kFirstBodyLine + 4},
        BodyFault{"UserInLink", "\n", "[x](https://1177.se@ond.example)", "template-link", kFirstBodyLine + 4},
        BodyFault{"TextAsLink", "var t: text = 'x'\n", "[x]({{t}})", "template-link", kFirstBodyLine + 4},
        BodyFault{"HalfOpen", "\n", "x {{clinic y", "template-braces", kFirstBodyLine + 4},
        BodyFault{"HalfClosed", "\n", "x clinic}} y", "template-braces", kFirstBodyLine + 4},
        BodyFault{"UnknownVariable", "\n", "x {{klinic}}", "template-unknown-variable", kFirstBodyLine + 4},
        BodyFault{"UnclosedCondition", "var t: bool = true\n", "{{#t}}\nx", "template-condition", kFirstBodyLine + 4},
        BodyFault{"ClosedTwice", "var t: bool = true\n", "{{#t}}\nx\n{{/t}}\n{{/t}}", "template-condition",
                  kFirstBodyLine + 7},
        BodyFault{"ConditionInText", "var t: bool = true\n", "{{#t}}\nx\n{{/t}}\n\ny {{#t}}", "template-condition-line",
                  kFirstBodyLine + 8},
        BodyFault{"ConditionOnText", "\n", "{{#clinic}}\nx\n{{/clinic}}", "template-condition", kFirstBodyLine + 4},
        BodyFault{"BoolPrinted", "var t: bool = true\n", "{{t}}", "template-bool-printed", kFirstBodyLine + 4},
        BodyFault{"OptionalUnguarded", "\n", "Vi bor {{careOf}}.", "template-optional", kFirstBodyLine + 4},
        BodyFault{"ListInText", "var t: list = 'x'\n", "Ta med {{t}}.", "template-list-variable", kFirstBodyLine + 4},
        BodyFault{"WrongForm", "\n", "{{day: tid}}", "template-form", kFirstBodyLine + 4},
        BodyFault{"TextWithForm", "\n", "{{clinic: kort}}", "template-form", kFirstBodyLine + 4},
        BodyFault{"OnePlural", "var n: number = 3\n", "{{n: vecka}}", "template-form", kFirstBodyLine + 4},
        BodyFault{"Unused", "var t: text = 'x'\n", "text", "template-unused-variable", 20},
        BodyFault{"UnknownType", "var t: txt = 'x'\n", "text", "template-type", 20},
        BodyFault{"NoExpression", "var t: text\n", "text", "template-declaration", 20},
        BodyFault{"UnknownKey", "titel: x\n", "text", "template-key", 20},
        BodyFault{"KeyTwice", "title: x\n", "text", "template-duplicate", 20}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Source, PersonalVariableInNotificationIsRefused) {
  std::string text = letter("\n", "# A\n\n{{patient.name}}\n");
  text.replace(text.find("från {{clinic}}"), 16, "till {{patient.name}}");
  const auto parsed = parse(text);
  EXPECT_FALSE(parsed.source.ok());
  EXPECT_TRUE(parsed.has("template-notify-personal", 6));
}

TEST(Source, BrokenFrontMatterIsRefused) {
  EXPECT_TRUE(parse("# A\n").has("template-front-matter", 1));
  EXPECT_TRUE(parse("---\nid: x\n").has("template-front-matter", 3));
  EXPECT_TRUE(parse("---\nid: x\nlang\n---\n# A\n").has("template-front-matter", 3));
  EXPECT_TRUE(parse("---\nid: x\n---\n# A\n").has("template-key", 1));
  EXPECT_TRUE(parse("---\nid: \xff\n---\n").has("template-utf8", 2));
  EXPECT_TRUE(parse("").has("template-front-matter", 1));
}

}  // namespace
}  // namespace lotsen::letter
