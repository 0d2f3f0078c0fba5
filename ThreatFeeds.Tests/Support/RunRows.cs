using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Tests.Support;

/// <summary>Runs as they are stored, with what nobody is shown.</summary>
internal static class RunRows
{
    public static async Task<RunRow?> FindAsync(IContextFactory contexts, long id)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.Runs.AsNoTracking().FirstOrDefaultAsync(r => r.Id == id);
    }
}
