using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Postgres
{
    /// <inheritdoc />
    public partial class AlertOrders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_alerts_Count_Id",
                table: "alerts",
                columns: new[] { "Count", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_FirstSeen_Id",
                table: "alerts",
                columns: new[] { "FirstSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_Kind_LastSeen_Id",
                table: "alerts",
                columns: new[] { "Kind", "LastSeen", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_long",
                table: "alerts",
                columns: new[] { "LastSeen", "Id" },
                filter: "\"LastSeen\" - \"FirstSeen\" > 86400000");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_open",
                table: "alerts",
                column: "Severity",
                filter: "\"State\" = 'open'");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_Workload_LastSeen_Id",
                table: "alerts",
                columns: new[] { "Workload", "LastSeen", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_alerts_Count_Id",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "IX_alerts_FirstSeen_Id",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "IX_alerts_Kind_LastSeen_Id",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "IX_alerts_long",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "IX_alerts_open",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "IX_alerts_Workload_LastSeen_Id",
                table: "alerts");
        }
    }
}
