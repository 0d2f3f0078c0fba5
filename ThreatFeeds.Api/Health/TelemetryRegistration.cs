using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Api.Health;

/// <summary>
/// What is measured leaves the process on two ways: metrics are read from <c>/metrics</c> by whoever asks, and metrics and traces are sent to a collector when one is named.
/// </summary>
internal static class TelemetryRegistration
{
    private const string ServiceName = "threatfeeds";

    /// <summary>Calls that watchers make every few seconds; their spans would bury the others.</summary>
    private static readonly string[] Unwatched = ["/livez", "/readyz", "/metrics"];

    /// <param name="toCollector">Whether a collector is named; where and how is read by the library from its variables.</param>
    public static void AddTelemetry(this IServiceCollection services, bool toCollector)
    {
        OpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            // The environment last, so that OTEL_SERVICE_NAME can say otherwise.
            .ConfigureResource(r => r.AddService(ServiceName, serviceVersion: typeof(TelemetryRegistration).Assembly.GetName().Version?.ToString(3)).AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Meters.Name).AddRuntimeInstrumentation().AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddView(OfFetching);
                // Both would put what is the same everywhere on every line.
                metrics.AddPrometheusExporter(o => (o.ScopeInfoEnabled, o.TargetInfoEnabled) = (false, false));
                if (toCollector)
                {
                    metrics.AddOtlpExporter();
                }
            });
        if (toCollector)
        {
            telemetry.WithTracing(traces => traces.AddSource(Work.SourceName)
                .AddAspNetCoreInstrumentation(o => o.Filter = context => !Unwatched.Contains(context.Request.Path.Value, StringComparer.Ordinal))
                // The runtime's own spans of fetching. OpenTelemetry's instrumentation would write our trace into the request, whatever the client is told.
                .AddSource("System.Net.Http")
                .AddOtlpExporter());
        }
    }

    /// <summary>Of fetching the duration of requests, and not what makes a series of each address that a name ever had.</summary>
    private static MetricStreamConfiguration? OfFetching(Instrument instrument) =>
        instrument.Meter.Name is "System.Net.Http" or "System.Net.NameResolution" && instrument.Name != "http.client.request.duration" ? MetricStreamConfiguration.Drop : null;
}
