#include "gateway/xml/reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lotsen::xml {
namespace {

class Recorder : public Handler {
 public:
  bool startElement(std::string_view space, std::string_view name, std::span<const Attribute> attributes,
                    Place at) override {
    add("<" + (space.empty() ? "" : "{" + std::string(space) + "}") + std::string(name));
    for (const Attribute& attribute : attributes) {
      events += " " + (attribute.space.empty() ? "" : "{" + std::string(attribute.space) + "}") +
                std::string(attribute.name) + "=" + std::string(attribute.value);
    }
    events += "@" + std::to_string(at.line) + ":" + std::to_string(at.column) + ">";
    return name != stopAt;
  }
  bool endElement(Place) override { return add("</>"); }
  bool text(std::string_view characters, Place) override { return add(std::string(characters)); }
  std::string events;
  std::string stopAt;

 private:
  bool add(const std::string& event) {
    events += event;
    return true;
  }
};

std::string eventsOf(std::string_view text) {
  Recorder recorder;
  const auto fault = parse(text, Limits{}, recorder);
  EXPECT_FALSE(fault) << fault->text << recorder.events;
  return recorder.events;
}

Fault faultOf(std::string_view text, const Limits& limits = {}) {
  Recorder recorder;
  auto fault = parse(text, limits, recorder);
  EXPECT_TRUE(fault) << text.substr(0, 200);
  return fault.value_or(Fault{});
}

TEST(XmlReader, TellsElementsAttributesAndText) {
  EXPECT_EQ(eventsOf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><a xmlns=\"urn:x\" "
                     "b=\"1&amp;2\">\n<c/>å&lt;<![CDATA[<d>]]></a>"),
            "<{urn:x}a b=1&2@2:11>\n<{urn:x}c@3:1></>å<<d></>");
  EXPECT_EQ(eventsOf("<p:a xmlns:p=\"urn:x\" p:b=\"1\" c=\"2\"/>"), "<{urn:x}a {urn:x}b=1 c=2@1:1></>");
  EXPECT_EQ(eventsOf("\xef\xbb\xbf<a/>"), "<a@1:1></>");
}

TEST(XmlReader, ResolvesNamespaces) {
  EXPECT_EQ(eventsOf("<a xmlns='urn:x'><b xmlns=''><c xmlns='urn:y'/><d/></b><e/></a>"),
            "<{urn:x}a@1:1><b@1:18><{urn:y}c@1:30></><d@1:48></></><{urn:x}e@1:56></></>");
  EXPECT_EQ(eventsOf("<a><p:b xmlns:p='urn:x'><c p:d='1' e='2'/></p:b><c/></a>"),
            "<a@1:1><{urn:x}b@1:4><c {urn:x}d=1 e=2@1:25></></><c@1:49></></>");
  EXPECT_EQ(eventsOf("<p:a xmlns:p='urn:x' xmlns='urn:y'><p:b xmlns:p='urn:z'/><p:c/><d xml:lang='sv'/></p:a>"),
            "<{urn:x}a@1:1><{urn:z}b@1:36></><{urn:x}c@1:58></><{urn:y}d "
            "{http://www.w3.org/XML/1998/namespace}lang=sv@1:64></></>");
  for (const std::string wrong :
       {"<a p:b='1'/>", "<a xmlns:p=''/>", "<a xmlns:xmlns='urn:x'/>", "<a xmlns:xml='urn:x'/>",
        "<a:b:c xmlns:a='urn:x'/>", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>",
        "<a><b xmlns:p='urn:x'/><p:c/></a>", "<a: xmlns:a='urn:x'/>", "<:a/>"}) {
    EXPECT_EQ(faultOf(wrong).rule, "xml-syntax") << wrong;
  }
}

TEST(XmlReader, ReadsLongDocumentsWhole) {
  std::string text = "<a>";
  std::string expected = "<a@1:1>";
  for (int i = 0; i < 20'000; ++i) text += "<b>x</b>";
  text += "</a>";
  class Counter : public Recorder {
   public:
    bool startElement(std::string_view, std::string_view, std::span<const Attribute>, Place) override {
      return ++starts > 0;
    }
    int starts = 0;
  } counter;
  EXPECT_FALSE(parse(text, Limits{}, counter));
  EXPECT_EQ(counter.starts, 20'001);
}

TEST(XmlReader, RefusesWithRuleAndPlace) {
  struct Refusal {
    std::string text;
    std::string rule;
    std::uint32_t line;
  };
  const std::vector<Refusal> cases = {
      {"", "xml-syntax", 1},
      {"<a>", "xml-syntax", 1},
      {"<a>\n<b></a>", "xml-syntax", 2},
      {"<a/><b/>", "xml-syntax", 1},
      {"<a>&nbsp;</a>", "xml-syntax", 1},
      {"<a b=\"1\" b=\"2\"/>", "xml-syntax", 1},
      {"<p:a/>", "xml-syntax", 1},
      {"<a>\x01</a>", "xml-syntax", 1},
      {"<a>&#0;</a>", "xml-syntax", 1},
      {"<a>\xc3</a>", "xml-utf8", 1},
      {"<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "xml-doctype", 2},
      {"<!-- x -->\n<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "xml-doctype", 2},
      {"<?xml version=\"1.0\" encoding='ISO-8859-1'?><a/>", "xml-encoding", 1},
      {"<?xml version=\"1.0\" encoding='UTF-16'?><a/>", "xml-encoding", 1},
      {std::string("\xff\xfe<\0a\0/\0>\0", 10), "xml-encoding", 1},
      {std::string("\xfe\xff\0<\0a\0/\0>", 10), "xml-encoding", 1},
      {std::string("\0<\0a\0/\0>", 8), "xml-encoding", 1},
      {std::string("<\0a\0/\0>\0", 8), "xml-encoding", 1},
      {"<?xml version=\"1.1\"?><a/>", "xml-version", 1},
      {"<?xml\tversion='1.1' ?><a/>", "xml-version", 1},
      {"<a>\n<!DOCTYPE b></a>", "xml-syntax", 2},
      {"<a>&#xD800;</a>", "xml-syntax", 1},
      {"<a>\n<![CDATA[b]]</a>", "xml-syntax", 2},
      {"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;'>]><a>&c;</a>", "xml-doctype", 2},
      {"\n<?xml version='1.0'?><a/>", "xml-syntax", 2},
  };
  for (const Refusal& one : cases) {
    const Fault fault = faultOf(one.text);
    EXPECT_EQ(fault.rule, one.rule) << one.text;
    EXPECT_EQ(fault.at.line, one.line) << one.text;
  }
}

TEST(XmlReader, SaysWhyTextIsNotWellFormed) {
  EXPECT_EQ(faultOf("<a b='1' b='2'/>").text, "the XML is not well-formed: duplicate attribute");
  EXPECT_EQ(faultOf("<a>").text, "the XML is not well-formed: it ends too early");
  EXPECT_EQ(faultOf("<a>&secret;</a>").text, "the XML is not well-formed: undefined entity");
}

TEST(XmlReader, BoundsDepthSizeAndElements) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_EQ(faultOf(deep).rule, "xml-depth");
  EXPECT_EQ(faultOf("<a><b/></a>", {64, 5, 10}).rule, "xml-size");
  EXPECT_EQ(faultOf("<a><b/><b/></a>", {64, 500, 2}).rule, "xml-elements");
  EXPECT_EQ(faultOf("<a><b/><b/></a>", {64, 500, 2}).code, Code::TooLarge);
}

TEST(XmlReader, BoundsAttributesAndNamespaces) {
  const auto tag = [](int count, const std::string& name) {
    std::string text = "<a>\n<!-- <c \"> --><![CDATA[<c '>]]><?pi <c \"?><b";
    for (int i = 0; i < count; ++i) text += " " + name + std::to_string(i) + "='>'";
    return text + "/><c d='1'/></a>";
  };
  Recorder recorder;
  EXPECT_FALSE(parse(tag(256, "x"), {}, recorder));
  EXPECT_FALSE(parse(tag(256, "xmlns:x"), {}, recorder));
  const Fault many = faultOf(tag(257, "x"));
  EXPECT_EQ(many.rule, "xml-attributes");
  EXPECT_EQ(many.code, Code::TooLarge);
  EXPECT_EQ(many.at.line, 2U);
  EXPECT_EQ(faultOf("<r xmlns='urn:x'>" + tag(256, "xmlns:x") + "</r>").rule, "xml-syntax");
}

TEST(XmlReader, LongTokensTakeLinearTime) {  // minutes, if expat gets them in pieces
  Recorder recorder;
  EXPECT_FALSE(
      parse("<a b='" + std::string(15u << 20, 'x') + "'>" + std::string(4u << 20, '\n') + "</a>", {}, recorder));
  EXPECT_FALSE(parse("<a><!--" + std::string(15u << 20, 'x') + "--></a>", {}, recorder));
}

TEST(XmlReader, StopsWhenTheHandlerSaysSo) {
  Recorder recorder;
  recorder.stopAt = "b";
  const auto fault = parse("<a><b/><c/></a>", Limits{}, recorder);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->rule, "xml-stopped");
  EXPECT_EQ(recorder.events, "<a@1:1><b@1:4>");
}

}  // namespace
}  // namespace lotsen::xml
