#include "gateway/xml/writer.h"

#include <gtest/gtest.h>

namespace lotsen::xml {
namespace {

TEST(XmlWriter, WritesElementsAttributesAndText) {
  std::string out;
  Writer writer(out);
  writer.declaration()
      .start("a")
      .attribute("b", "\"1\" < 2 &\n")
      .start("c")
      .end()
      .text("x < y & z")
      .start("d")
      .end()
      .end();
  EXPECT_EQ(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a b=\"&quot;1&quot; &lt; 2 &amp;&#10;\"><c/>x &lt; y &amp; "
            "z<d/></a>");
}

TEST(XmlWriter, IndentsElementContentOnly) {
  std::string out;
  Writer writer(out, 2);
  writer.declaration().start("a").start("b").text("x").start("c").end().end().start("d").end().raw("<e/>").end();
  EXPECT_EQ(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b>x<c/></b>\n  <d/>\n  <e/>\n</a>");
}

}  // namespace
}  // namespace lotsen::xml
