#include "gateway/observe/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace lotsen::observe {
namespace {

TEST(Metrics, Exposition) {
  Metrics metrics;
  metrics.gauge("lotsen_queue_depth", "Deliveries that wait", {{"endpoint", "a"}}).set(3);
  metrics.counter("lotsen_records_total", "Records\ntaken in", {{"channel", "pas"}, {"result", "st\"or\\ed"}}).add(2);
  metrics.counter("lotsen_records_total", "Records\ntaken in", {{"channel", "pas"}, {"result", "refused"}}).add();
  EXPECT_EQ(metrics.exposition(),
            "# HELP lotsen_queue_depth Deliveries that wait\n"
            "# TYPE lotsen_queue_depth gauge\n"
            "lotsen_queue_depth{endpoint=\"a\"} 3\n"
            "# HELP lotsen_records_total Records\\ntaken in\n"
            "# TYPE lotsen_records_total counter\n"
            "lotsen_records_total{channel=\"pas\",result=\"refused\"} 1\n"
            "lotsen_records_total{channel=\"pas\",result=\"st\\\"or\\\\ed\"} 2\n");
}

TEST(Metrics, HistogramCumulatesAndCountsBoundsAsInside) {
  Metrics metrics;
  Histogram& histogram = metrics.histogram("lotsen_answer_seconds", "Time to answer", {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 2.0}) histogram.observe(value);
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(metrics.exposition(),
            "# HELP lotsen_answer_seconds Time to answer\n"
            "# TYPE lotsen_answer_seconds histogram\n"
            "lotsen_answer_seconds_bucket{le=\"0.1\"} 2\n"
            "lotsen_answer_seconds_bucket{le=\"1\"} 3\n"
            "lotsen_answer_seconds_bucket{le=\"+Inf\"} 4\n"
            "lotsen_answer_seconds_sum 2.65\n"
            "lotsen_answer_seconds_count 4\n");
}

TEST(Metrics, SameNameAndLabelsIsTheSameInstrument) {
  Metrics metrics;
  Counter& one = metrics.counter("lotsen_a_total", "A", {{"x", "1"}});
  EXPECT_EQ(&one, &metrics.counter("lotsen_a_total", "A", {{"x", "1"}}));
  EXPECT_NE(&one, &metrics.counter("lotsen_a_total", "A", {{"x", "2"}}));
}

TEST(Metrics, SeriesOfANameAreBounded) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kMaxSeries; ++i)
    metrics.counter("lotsen_a_total", "A", {{"x", std::to_string(i)}});
  Counter& other = metrics.counter("lotsen_a_total", "A", {{"x", "one too many"}});
  EXPECT_EQ(&other, &metrics.counter("lotsen_a_total", "A", {{"x", "two too many"}}));
  EXPECT_NE(metrics.exposition().find("lotsen_a_total{x=\"other\"} 0\n"), std::string::npos);
}

TEST(MetricsDeathTest, NamesAreHeldToTheGrammar) {
  Metrics metrics;
  EXPECT_DEATH(metrics.counter("requests_total", "no prefix"), "");
  EXPECT_DEATH(metrics.counter("lotsen_requests", "a counter ends in _total"), "");
  EXPECT_DEATH(metrics.gauge("lotsen_depth", "bad label", {{"End-Point", "x"}}), "");
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      Counter& counter = metrics.counter("lotsen_a_total", "A");
      Histogram& histogram = metrics.histogram("lotsen_b_seconds", "B", Metrics::latencyBounds());
      for (int i = 0; i < 1000; ++i) {
        counter.add();
        histogram.observe(0.25);
        if (i % 100 == 0) metrics.exposition();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(metrics.counter("lotsen_a_total", "A").value(), 4000U);
  EXPECT_EQ(metrics.histogram("lotsen_b_seconds", "B", {}).sum(), 1000.0);
}

}  // namespace
}  // namespace lotsen::observe
