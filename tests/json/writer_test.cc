#include "gateway/json/writer.h"

#include <gtest/gtest.h>

namespace lotsen::json {
namespace {

TEST(JsonWriter, WritesCompactText) {
  std::string out;
  Writer writer(out);
  writer.startObject().member("a", "x").key("b").startArray().number("1.00").boolean(true).null().endArray();
  writer.key('_', "b")
      .startArray()
      .endArray()
      .member("n", std::int64_t{-5})
      .key("o")
      .startObject()
      .endObject()
      .endObject();
  EXPECT_EQ(out, R"({"a":"x","b":[1.00,true,null],"_b":[],"n":-5,"o":{}})");
}

TEST(JsonWriter, Indents) {
  std::string out;
  Writer writer(out, 2);
  writer.startObject()
      .member("a", "x")
      .key("b")
      .startArray()
      .integer(1)
      .integer(2)
      .endArray()
      .key("c")
      .startArray()
      .endArray();
  writer.endObject();
  EXPECT_EQ(out, "{\n  \"a\": \"x\",\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": []\n}");
}

TEST(JsonWriter, EscapesEachByteInEachPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    std::string alone;
    appendQuoted(alone, std::string_view(&c, 1));
    const std::string escaped = alone.substr(1, alone.size() - 2);
    EXPECT_EQ(escaped.size() > 1, byte < 0x20 || c == '"' || c == '\\') << byte;
    for (std::size_t size = 1; size < 20; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string out;
        appendQuoted(out, std::string(at, '!') + c + std::string(size - at - 1, '\xff'));
        EXPECT_EQ(out, "\"" + std::string(at, '!') + escaped + std::string(size - at - 1, '\xff') + "\"")
            << byte << " at " << at << " of " << size;
      }
    }
  }
}

TEST(JsonWriter, EscapesOnlyWhatItMust) {
  std::string out;
  appendQuoted(out, std::string_view("å/\"\\\b\f\n\r\t\x01\x1f\x7f", 13));
  EXPECT_EQ(out, "\"å/\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
}

}  // namespace
}  // namespace lotsen::json
