// The page of an earlier run: its report.
import { Report } from "./report.js";

const root = document.getElementById("report");
const report = new Report(root, "..");
report.of(root.dataset.run);
report.look(false);
