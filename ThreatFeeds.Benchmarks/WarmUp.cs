using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace ThreatFeeds.Benchmarks;

/// <summary>
/// What the first 300,000 DNS records cost a process that was just started, until they are searched, under settings of the runtime, beside its defaults. The program is that of the same build.
/// </summary>
internal static class WarmUp
{
    private const int Batches = 30, Records = 10_000, Rounds = 5;

    public static async Task RunAsync()
    {
        byte[][] batches = [.. Enumerable.Range(0, Batches).Select(Batch)];
        await Turns.CompareAsync(Rounds, Of("the runtime's defaults", "DOTNET_TieredPGO", "1", batches), Of("no profiles (TieredPGO=0)", "DOTNET_TieredPGO", "0", batches),
            Of("no tiers (TieredCompilation=0)", "DOTNET_TieredCompilation", "0", batches));
    }

    private static Way Of(string name, string setting, string value, byte[][] batches)
    {
        string folder = Path.Combine(Path.GetTempPath(), "threatfeeds-warm-up");
        string program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "ThreatFeeds.Api", "release", "threatfeeds"));
        var client = new HttpClient { BaseAddress = new Uri("http://127.0.0.1:5097") };
        Process process = null!;
        TimeSpan before = default;
        return new Way(name, async () =>
        {
            foreach (byte[] batch in batches)
            {
                using var body = new ByteArrayContent(batch);
                (await client.PostAsync(new Uri("/v1/logs/dns", UriKind.Relative), body)).EnsureSuccessStatusCode();
            }
            await UntilAsync(async () => (await client.GetFromJsonAsync<JsonElement>("/v1/searches")).GetProperty("idle").GetBoolean());
        })
        {
            BeforeAsync = async () =>
            {
                var start = new ProcessStartInfo(program, ["--data", folder, "--urls", client.BaseAddress.ToString()]) { RedirectStandardOutput = true };
                start.Environment[setting] = value;
                process = Process.Start(start)!;
                process.OutputDataReceived += (_, _) => { };
                process.BeginOutputReadLine();
                await UntilAsync(async () => (await client.GetAsync(new Uri("/readyz", UriKind.Relative))).IsSuccessStatusCode);
                before = process.TotalProcessorTime;
            },
            AfterAsync = async () =>
            {
                process.Refresh();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {(process.TotalProcessorTime - before).TotalSeconds:0.0} CPU-s"));
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
                Directory.Delete(folder, recursive: true);
            },
        };
    }

    private static byte[] Batch(int batch) => Encoding.ASCII.GetBytes(string.Join('\n', Enumerable.Range(batch * Records, Records).Select(i =>
        $$"""{"start_time":1764600000,"end_time":1764600300,"type":"LOG","count":1,"client_ip":"10.0.0.7","client_name":"web-1","client_name_aggr":"web-*","client_namespace":"shop","qname":"host{{i}}.sub{{i % 97}}.example","qclass":"IN","qtype":"A","rcode":"NoError","rrsets":[{"name":"host{{i}}.sub{{i % 97}}.example","class":"IN","type":"A","rdata":["10.{{i % 200}}.{{i % 190}}.9"]}]}""")));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (true)
        {
            try
            {
                if (await holds())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
