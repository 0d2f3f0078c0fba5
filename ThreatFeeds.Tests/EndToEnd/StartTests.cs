using System.Net;
using Microsoft.Data.Sqlite;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>What the executable does when it cannot start, and what it does not take.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_data_folder_that_cannot_be_written_stops_the_start_with_status_2()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "");
        using LiveProcess process = LiveProcess.Start("--data", Path.Combine(file, "data"));
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains("threatfeeds: Data:Directory", process.Output, StringComparison.Ordinal);
        Assert.Contains("cannot be written to", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_process_on_the_same_folder_refuses_to_start_and_the_first_goes_on()
    {
        using var folder = new TemporaryFolder();
        using LiveProcess first = LiveProcess.Start("--data", folder.Path);
        Uri? address = await first.ListeningAsync();
        Assert.True(address is not null, first.Output);
        using (LiveProcess second = LiveProcess.Start("--data", folder.Path))
        {
            Assert.Equal(2, await second.ExitAsync());
            Assert.Contains("threatfeeds: Another process uses the data folder", second.Output, StringComparison.Ordinal);
        }
        using var client = new HttpClient { BaseAddress = address };
        var server = new LiveServer(client);
        Assert.Equal(1, await server.PostLogsAsync("dns", [LiveServer.DnsRecord("a.example.net", 1)]));
        await server.WhenIdleAsync(TimeSpan.FromSeconds(30));
        await first.KillAsync();
    }

    [Fact]
    public async Task A_folder_another_process_holds_is_left_as_it_is_down_to_the_database()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "logs"));
        await using (new FileStream(Path.Combine(folder.Path, "logs", "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            // As a version before holds it, whose database must not be brought to a newer one under it.
            using LiveProcess process = LiveProcess.Start("--data", folder.Path);
            Assert.Equal(2, await process.ExitAsync());
            Assert.Contains("threatfeeds: Another process uses the data folder", process.Output, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(folder.Path, "threatfeeds.db")), "the database was touched");
        }
    }

    [Fact]
    public async Task A_database_of_a_later_version_stops_the_start_with_status_2_and_is_left_as_it_is()
    {
        using var folder = new TemporaryFolder();
        await using (await AppFixture.StartAsync((TimeProvider?)null, folder.Path))
        {
        }
        await using (var connection = new SqliteConnection($"Data Source={folder.Path}/threatfeeds.db"))
        {
            await connection.OpenAsync();
            await using SqliteCommand later = connection.CreateCommand();
            later.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('20990101000000_Later', '11.0')";
            await later.ExecuteNonQueryAsync();
        }
        SqliteConnection.ClearAllPools();
        using LiveProcess process = LiveProcess.Start("--data", folder.Path);
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains("threatfeeds: The database was made by a later version (migration 20990101000000_Later", process.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public async Task A_damaged_database_stops_the_start_with_status_2_and_says_what_to_do(int from)
    {
        using var folder = new TemporaryFolder();
        using (LiveProcess first = LiveProcess.Start("--data", folder.Path))
        {
            Assert.True(await first.ListeningAsync() is not null, first.Output);
            await first.KillAsync();
        }
        string file = Path.Combine(folder.Path, "threatfeeds.db");
        // What the killed process left is brought into the file first.
        await using (var db = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=False"))
        {
            await db.OpenAsync();
            await using var command = db.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            await command.ExecuteNonQueryAsync();
        }
        byte[] bytes = await File.ReadAllBytesAsync(file);
        bytes.AsSpan(from).Fill(0x5A);
        await File.WriteAllBytesAsync(file, bytes);
        using LiveProcess process = LiveProcess.Start("--data", folder.Path);
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains("threatfeeds: The database (threatfeeds.db in the data folder) is damaged", process.Output, StringComparison.Ordinal);
        Assert.Contains("from a backup", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_host_is_misdirected()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/searches");
        request.Headers.Host = "rebound.example.org";
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sixty_five_mebibytes_are_too_large(bool lengthKnown)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        byte[] body = new byte[65 << 20];
        body.AsSpan().Fill((byte)'\n');
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/logs/dns") { Content = new ByteArrayContent(body) };
        // As curl does: the body is not sent when the answer comes first.
        request.Headers.ExpectContinue = lengthKnown;
        request.Headers.TransferEncodingChunked = !lengthKnown;
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("\"code\":\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using HttpResponseMessage alive = await app.Client.GetAsync("/livez");
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }
}
