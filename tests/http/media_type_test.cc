#include "gateway/http/media_type.h"

#include <gtest/gtest.h>

namespace lotsen::http {
namespace {

TEST(MediaType, NameAndCharset) {
  const auto type = parseMediaType(" Application/FHIR+json ; charset=UTF-8");
  ASSERT_TRUE(type.ok());
  EXPECT_EQ(type->name, "application/fhir+json");
  EXPECT_EQ(type->charset, "utf-8");
  EXPECT_TRUE(type->isJson());
  EXPECT_FALSE(type->isXml());
  EXPECT_TRUE(type->isUtf8());
}

TEST(MediaType, ParametersOfAllKinds) {
  const auto type = parseMediaType("text/xml; fhirVersion=4.0; note=\"a;b\\\"c\"; charset=\"iso-8859-1\";");
  ASSERT_TRUE(type.ok());
  EXPECT_TRUE(type->isXml());
  EXPECT_EQ(type->charset, "iso-8859-1");
  EXPECT_FALSE(type->isUtf8());
}

TEST(MediaType, Malformed) {
  for (const char* text : {"", "json", "application/", "/json", "application/json charset=utf-8",
                           "application/json; charset", "application/json; =x", "application/json; charset=",
                           "application/json; charset=\"utf-8", "application/json; charset=utf-8 x",
                           "application/json; charset=utf-8; charset=utf-16", "application/json, text/html"}) {
    const auto type = parseMediaType(text);
    ASSERT_FALSE(type.ok()) << text;
    EXPECT_EQ(type.error().code, Code::Invalid);
  }
}

TEST(MediaType, OfARequest) {
  Request request;
  ASSERT_TRUE(mediaType(request).ok());
  EXPECT_EQ(mediaType(request)->name, "");
  request.fields.push_back({"content-type", "application/json"});
  EXPECT_EQ(mediaType(request)->name, "application/json");
}

}  // namespace
}  // namespace lotsen::http
