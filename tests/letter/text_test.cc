#include "gateway/letter/text.h"

#include <gtest/gtest.h>

namespace lotsen::letter {
namespace {

Inlines words(const std::string& text) {
  Inline part;
  part.text = text;
  return {part};
}

Document document() {
  Document letter;
  letter.reference = {words("Datum: 22 november 2026"), words("Ärendenummer: 7")};
  letter.sender = {words("Box 1")};
  letter.blocks.push_back({Node::Kind::Heading, 1, {words("Din remiss")}});
  Inlines value = words("<script>alert('x')</script> & \"# {{y}}\" [z](https://ond.example)");
  Inline strong;
  strong.text = " Viktigt";
  strong.strong = true;
  Inline lineBreak;
  lineBreak.lineBreak = true;
  Inline link;
  link.text = "1177";
  link.link = "https://www.1177.se/?a=1&b=2";
  value.push_back(strong);
  value.push_back(lineBreak);
  value.push_back(link);
  letter.blocks.push_back({Node::Kind::Paragraph, 0, {value}});
  letter.blocks.push_back({Node::Kind::Bullets, 0, {words("ett"), words("två")}});
  letter.blocks.push_back({Node::Kind::Numbers, 0, {words("ett"), words("två")}});
  return letter;
}

TEST(Message, HtmlIsTheSafeSubsetAndValuesAreLiteral) {
  EXPECT_EQ(safeHtml(document()),
            "<h1>Din remiss</h1>\n"
            "<p>Datum: 22 november 2026<br>Ärendenummer: 7</p>\n"
            "<p>&lt;script&gt;alert('x')&lt;/script&gt; &amp; &quot;# {{y}}&quot; [z](https://ond.example)"
            "<strong> Viktigt</strong><br><a href=\"https://www.1177.se/?a=1&amp;b=2\">1177</a></p>\n"
            "<ul><li>ett</li><li>två</li></ul>\n"
            "<ol><li>ett</li><li>två</li></ol>\n");
}

TEST(Message, TextShowsAddressesOfLinks) {
  EXPECT_EQ(
      plainText(document()),
      "Din remiss\n\n"
      "Datum: 22 november 2026\nÄrendenummer: 7\n\n"
      "<script>alert('x')</script> & \"# {{y}}\" [z](https://ond.example) Viktigt\n1177 (www.1177.se/?a=1&b=2)\n\n"
      "- ett\n- två\n\n"
      "1. ett\n2. två\n");
}

TEST(Message, AddressThatIsItsOwnTextIsShownOnce) {
  Inline link;
  link.text = "www.1177.se";
  link.link = "https://www.1177.se/";
  Document letter;
  letter.blocks.push_back({Node::Kind::Paragraph, 0, {{link}}});
  EXPECT_EQ(plainText(letter), "www.1177.se\n");
}

}  // namespace
}  // namespace lotsen::letter
